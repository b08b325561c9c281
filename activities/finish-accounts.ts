import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { authGoesLast } from '../model/change/change';
import { isSettled, outcomeStates, type SettledState } from '../model/change/outcome';
import { isErrorCode, waitingSays } from '../model/errors';
import { type Chosen, isChosen } from '../store/worker/chosen';
import {
  isOvertaken,
  noteApplying,
  noteWaiting,
  type OutcomeStatus,
  readOutcomeStatuses,
  type Settlement,
  settleAccounts,
} from '../store/worker/outcomes';
import { type Aim, aimAt } from './attempt/aim';
import { attemptAccounts } from './attempt/attempt-accounts';
import type { Dependencies } from './dependencies';
import { type PassResult, passResult } from './pass-over-source';
import { settleMappingsSoFar } from './settle-mappings';
import { loadChange } from './shared/load-change';
import { nextLookMs } from './shared/next-look';
import { untriedSettlement } from './shared/untried-settlement';

/**
 * Activity 4 of 6. A further attempt (`attemptAccounts`) at accounts that wait, on the queue lane. Temporal repeats it
 * after each failure that it throws, until every chosen account is settled or the change is too old.
 * @throws ApplicationFailure with the reason and the wait before the next attempt; nothing secret or personal
 */
export function finishAccounts(deps: Dependencies) {
  return async (changeId: string, chosen: Chosen): Promise<PassResult> => {
    const before = await readOutcomeStatuses(deps.db, changeId);
    // Temporal runs an activity as soon as it is scheduled, but the first pass over these accounts was a moment ago.
    const early = activityInfo().attempt === 1 ? openOf(chosen, before) : [];
    const aim = aimAt(chosen, before);
    // Other accounts may hold the new password already, and the auth account may be away for long.
    const isAuth = before.some((one) => one.role === 'auth' && isChosen(chosen, one));
    if (isAuth) await settleMappingsSoFar(deps, changeId);
    if (early.length > 0 && aim !== 'leave') {
      const remainingMs = await noteWaiting(deps.db, changeId);
      if (early.every(({ nextTryInMs }) => nextTryInMs > 0)) throw retryLater(early, remainingMs);
    }
    const loaded = await loadChange(deps, changeId);
    const { remainingMs } = loaded.change;
    const left = await leftOf(deps, changeId, aim, isAuth && authGoesLast(before));
    if (left !== null) {
      await settleAccounts(
        deps.db,
        loaded.change,
        openOf(chosen, before).map((status) => untriedSettlement(status, ...left)),
      );
      return passResult(chosen, await readOutcomeStatuses(deps.db, changeId));
    }
    const statuses = await attemptAccounts(
      deps,
      loaded,
      chosen,
      aim === 'validate' ? 'validate' : 'write',
    );
    const open = openOf(chosen, statuses).filter(({ reason }) => reason !== 'others_first');
    if (open.length > 0 && remainingMs > 0) throw retryLater(open, remainingMs);
    if (statuses.some((status) => isChosen(chosen, status) && status.role === 'auth'))
      await noteApplying(deps.db, changeId);
    return passResult(chosen, statuses);
  };
}

/**
 * How an auth account that goes last ends without an attempt: another account does not hold the new password, or holds
 * that of a newer change already. Null if it may be attempted.
 */
async function leftOf(
  { db }: Dependencies,
  changeId: string,
  aim: Aim | 'leave',
  goesLast: boolean,
): Promise<[SettledState, Settlement['reason']] | null> {
  if (aim === 'leave') return ['not_attempted', 'others_unchanged'];
  return goesLast && aim === 'write' && (await isOvertaken(db, changeId))
    ? ['superseded', null]
    : null;
}

const openOf = (chosen: Chosen, statuses: readonly OutcomeStatus[]): OutcomeStatus[] =>
  statuses.filter((status) => isChosen(chosen, status) && !isSettled(status.state));

/** The failure that makes Temporal run the activity again when the first of the open accounts is due. */
function retryLater(open: readonly OutcomeStatus[], remainingMs: number): ApplicationFailure {
  const [first] = [...open].sort((one, other) => one.nextTryInMs - other.nextTryInMs);
  const reason = first?.reason != null && isErrorCode(first.reason) ? first.reason : 'unknown';
  const parked = first?.state === 'parked';
  const failure = ApplicationFailure.create({
    type: reason,
    message: parked ? outcomeStates.parked.says : waitingSays(reason),
    nextRetryDelay: nextLookMs(open, remainingMs),
    category: ApplicationFailureCategory.BENIGN,
  });
  // The Web UI shows the stack, and file paths do not help an operator.
  failure.stack = '';
  return failure;
}
