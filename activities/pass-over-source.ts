import { isSettled } from '../model/change/outcome';
import { type Chosen, isChosen } from '../store/worker/chosen';
import type { OutcomeStatus } from '../store/worker/outcomes';
import { attemptAccounts } from './attempt-accounts';
import type { Dependencies } from './dependencies';
import { openWork } from './open-change';

export interface PassResult {
  readonly source: string;
  readonly accounts: number;
  readonly applied: number;
  /** Labels of the accounts that are not settled. */
  readonly waiting: readonly string[];
  /** It is the auth account of a group where that goes last, and nothing speaks against it. */
  readonly othersFirst: boolean;
}

/** The first pass over a source: one attempt at every account of the person there, the auth account aside. */
export function passOverSource(deps: Dependencies) {
  return async (changeId: string, source: string): Promise<PassResult> => {
    const work = await openWork(deps, changeId);
    const chosen: Chosen = { source, role: 'member' };
    return passResult(chosen, await attemptAccounts(deps, work, chosen));
  };
}

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
