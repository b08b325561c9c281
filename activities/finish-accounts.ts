import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { isSettled, outcomeStates } from '../model/change/outcome';
import { HELD_LOOK_MS } from '../model/change/source-circuit';
import { errors, isErrorCode } from '../model/errors';
import { type Chosen, isChosen } from '../store/worker/chosen';
import {
  type OutcomeStatus,
  readOutcomeStatuses,
  setChangeState,
  settleAccounts,
} from '../store/worker/outcomes';
import { attemptAccounts } from './attempt-accounts';
import { aimAt } from './auth-last';
import type { Dependencies } from './dependencies';
import { openWork } from './open-change';
import { type PassResult, passResult } from './pass-over-source';
import { untried } from './untried';

/**
 * Another attempt at accounts that wait: an activity of the queue lane, which the engine repeats for as long as this
 * says so. It ends when all of them are settled, or the change is too old.
 * @throws ApplicationFailure that names the reason and the wait; nothing secret or personal
 */
export function finishAccounts(deps: Dependencies) {
  return async (changeId: string, chosen: Chosen): Promise<PassResult> => {
    const work = await openWork(deps, changeId);
    const { remainingMs } = work.change;
    const before = await readOutcomeStatuses(deps.db, changeId);
    const aim = aimAt(chosen, before);
    if (aim === 'leave') {
      const left = openOf(chosen, before);
      await settleAccounts(
        deps.db,
        work.change,
        left.map((one) => untried(one, 'not_attempted', 'others_unchanged')),
      );
      return passResult(chosen, await readOutcomeStatuses(deps.db, changeId));
    }
    // The engine runs this as soon as it is scheduled, but the first pass was a moment ago.
    const early = activityInfo().attempt === 1 ? openOf(chosen, before) : [];
    if (early.length > 0) await setChangeState(deps.db, changeId, 'waiting');
    if (early.length > 0 && early.every(({ nextTryInMs }) => nextTryInMs > 0))
      throw tryAgain(early, remainingMs);
    const statuses = await attemptAccounts(deps, work, chosen, aim);
    const open = openOf(chosen, statuses).filter(({ reason }) => reason !== 'others_first');
    if (open.length > 0 && remainingMs > 0) throw tryAgain(open, remainingMs);
    if (statuses.some((one) => isChosen(chosen, one) && one.role === 'auth'))
      await setChangeState(deps.db, changeId, 'applying');
    return passResult(chosen, statuses);
  };
}

const openOf = (chosen: Chosen, statuses: readonly OutcomeStatus[]): OutcomeStatus[] =>
  statuses.filter((one) => isChosen(chosen, one) && !isSettled(one.state));

function tryAgain(open: readonly OutcomeStatus[], remainingMs: number): ApplicationFailure {
  const [first] = [...open].sort((one, other) => one.nextTryInMs - other.nextTryInMs);
  const reason = first?.reason != null && isErrorCode(first.reason) ? first.reason : 'unknown';
  const parked = first?.state === 'parked';
  const wait = parked ? HELD_LOOK_MS : (first?.nextTryInMs ?? 0);
  const failure = ApplicationFailure.create({
    type: reason,
    message: parked ? outcomeStates.parked.says : errors[reason].says,
    // The last attempt is made when the change gets too old, to say so.
    nextRetryDelay: Math.max(1000, Math.min(wait, remainingMs)),
    category: ApplicationFailureCategory.BENIGN,
  });
  // Paths of files help no operator.
  failure.stack = '';
  return failure;
}
