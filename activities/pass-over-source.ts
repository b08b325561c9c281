import { isSettled } from '../model/change/outcome';
import { type Chosen, isChosen } from '../store/worker/chosen';
import { type MappedOutcomeStatus, noteAtRest, type OutcomeStatus } from '../store/worker/outcomes';
import { attemptAccounts } from './attempt/attempt-accounts';
import type { Dependencies } from './dependencies';
import { settleMappings, settleMappingsSoFar } from './settle-mappings';
import { type LoadedChange, loadChange } from './shared/load-change';
import { lookInMs } from './shared/next-look';

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
  /** True when this step has settled the mappings too, as far as the change goes on. Absent in older histories. */
  readonly mappingsSettled?: boolean;
  /**
   * Set when all that wait do so only for their source: milliseconds until the next pass, 0 when the change is too old.
   */
  readonly lookInMs?: number;
}

/**
 * Activity 3 of 6, on the queue lane. A pass over a source: one attempt (`attemptAccounts`) at every account of the person
 * there, except the auth account. It is repeated while accounts wait only for the source; `finishAccounts` retries those
 * that wait for something else.
 */
export function passOverSource(deps: Dependencies) {
  return async (changeId: string, source: string): Promise<PassResult> => {
    const [result] = await passOver(deps, await loadChange(deps, changeId), [source]);
    return result as PassResult;
  };
}

/**
 * A pass over some sources of a change, in parallel. A pass that fails, for example because the store cannot be reached,
 * ends no other pass; then the step is repeated, and settled accounts are skipped. While the change goes on, no mapping
 * lags behind: those of the accounts that were changed are settled.
 */
export async function passOver(
  deps: Dependencies,
  loaded: LoadedChange,
  sources: readonly string[],
): Promise<PassResult[]> {
  const attempts = sources.map((source) => attemptAccounts(deps, loaded, membersOf(source)));
  await Promise.allSettled(attempts);
  const passed = await Promise.all(attempts);
  // A bound worker has no master key. The workflow lets another worker settle the mappings.
  const settles = deps.boundTo === undefined;
  const results = sources.map((source, index) =>
    resultOf(membersOf(source), passed[index] ?? [], loaded.change.remainingMs, settles),
  );
  const isMapped = settles && passed.some((statuses) => statuses.some(({ mapped }) => mapped));
  if (goesOn(results, passed)) {
    if (isMapped) await settleMappings(deps)(loaded.change.id);
    await noteAtRest(deps.db, loaded.change.id);
  } else if (isMapped && authIsOpen(passed)) {
    // The worker of an isolated auth source, which goes last, cannot settle them.
    await settleMappingsSoFar(deps, loaded.change.id);
  }
  return results;
}

const membersOf = (source: string): Chosen => ({ source, role: 'member' });

/** Whether an account of these sources waits, or one of another source may still be open. */
function goesOn(
  results: readonly PassResult[],
  passed: readonly (readonly MappedOutcomeStatus[])[],
): boolean {
  const sources = results.map(({ source }) => source);
  return (
    results.some(({ waiting }) => waiting.length > 0) ||
    passed.some((statuses) =>
      statuses.some(
        ({ source, role, state }) =>
          role === 'member' && !sources.includes(source) && !isSettled(state),
      ),
    )
  );
}

const authIsOpen = (passed: readonly (readonly MappedOutcomeStatus[])[]): boolean =>
  passed.some((statuses) =>
    statuses.some(({ role, state }) => role === 'auth' && !isSettled(state)),
  );

function resultOf(
  chosen: Chosen,
  statuses: readonly OutcomeStatus[],
  remainingMs: number,
  mappingsSettled: boolean,
): PassResult {
  const result = { ...passResult(chosen, statuses), mappingsSettled };
  const open = statuses.filter(({ label }) => result.waiting.includes(label));
  const lookMs = lookInMs(open, remainingMs);
  return lookMs === undefined ? result : { ...result, lookInMs: lookMs };
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
