import { isSettled } from '../model/change/outcome';
import { type Chosen, isChosen } from '../store/worker/chosen';
import type { OutcomeStatus } from '../store/worker/outcomes';
import { attemptAccounts } from './attempt/attempt-accounts';
import type { Dependencies } from './dependencies';
import { type LoadedChange, loadChange } from './shared/load-change';

export interface PassResult {
  readonly source: string;
  /** Number of accounts, without those that are left out. */
  readonly accounts: number;
  /** Number of accounts that hold the new password. */
  readonly applied: number;
  /** Labels of the accounts that are not settled. */
  readonly waiting: readonly string[];
  /** True when one of them is an auth account that was validated, and is written after every other account. */
  readonly othersFirst: boolean;
}

/**
 * Activity 3 of 6, on the queue lane. The first pass over a source: one attempt (`attemptAccounts`) at every account of
 * the person there, except the auth account. Accounts that have to wait are returned for `finishAccounts`.
 */
export function passOverSource(deps: Dependencies) {
  return async (changeId: string, source: string): Promise<PassResult> =>
    passOver(deps, await loadChange(deps, changeId), source);
}

/** The first pass over one source of a change. */
export async function passOver(
  deps: Dependencies,
  loaded: LoadedChange,
  source: string,
): Promise<PassResult> {
  const chosen: Chosen = { source, role: 'member' };
  return passResult(chosen, await attemptAccounts(deps, loaded, chosen));
}

/** Counts what became of the chosen accounts, for the workflow: numbers and labels, nothing personal. */
export function passResult(chosen: Chosen, statuses: readonly OutcomeStatus[]): PassResult {
  const here = statuses.filter((outcome) => isChosen(chosen, outcome));
  return {
    source: chosen.source,
    accounts: here.filter(({ state }) => state !== 'not_applicable').length,
    applied: here.filter(({ state }) => state === 'applied').length,
    waiting: here
      .filter(({ state, reason }) => !isSettled(state) && reason !== 'others_first')
      .map(({ label }) => label),
    othersFirst: here.some(({ reason }) => reason === 'others_first'),
  };
}
