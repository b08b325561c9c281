import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { type ErrorCode, errors } from '../model/errors';
import { isSettled } from '../model/outcome';
import { type Chosen, isChosen, readStandings, type Standing } from '../store/work';
import type { Dependencies } from './dependencies';
import { passOverAccounts } from './pass';
import { type PassResult, passResult } from './pass-over-source';
import { openWork } from './work';

/**
 * Another attempt at accounts that wait: an activity of the queue lane, which the engine repeats for as long as this
 * says so. It ends when all of them are settled, or the change is too old.
 * @throws ApplicationFailure that names the reason and the wait; nothing secret or personal
 */
export function finishAccounts(deps: Dependencies) {
  return async (changeId: string, chosen: Chosen): Promise<PassResult> => {
    const work = await openWork(deps, changeId);
    const { remainingMs } = work.change;
    const before = openOf(chosen, await readStandings(deps.db, changeId));
    // The engine runs this at once when it is scheduled, and after a restart; the account may still have to wait.
    if (before.length > 0 && before.every(({ nextTryInMs }) => nextTryInMs > EARLY_MS))
      throw tryAgain(before, remainingMs);
    const standings = await passOverAccounts(deps, work, chosen);
    const open = openOf(chosen, standings);
    if (open.length > 0 && remainingMs > 0) throw tryAgain(open, remainingMs);
    return passResult(chosen, standings);
  };
}

/** The clocks of engine and database need not agree to the millisecond. */
const EARLY_MS = 500;

const openOf = (chosen: Chosen, standings: readonly Standing[]): Standing[] =>
  standings.filter((one) => isChosen(chosen, one) && !isSettled(one.state));

function tryAgain(open: readonly Standing[], remainingMs: number): ApplicationFailure {
  const [first] = [...open].sort((one, other) => one.nextTryInMs - other.nextTryInMs);
  const reason = isErrorCode(first?.reason) ? first.reason : 'unknown';
  const failure = ApplicationFailure.create({
    type: reason,
    message: errors[reason].says,
    // The last attempt is made when the change gets too old, to say so.
    nextRetryDelay: Math.max(1000, Math.min(first?.nextTryInMs ?? 0, remainingMs)),
    category: ApplicationFailureCategory.BENIGN,
  });
  // Paths of files help no operator.
  failure.stack = '';
  return failure;
}

const isErrorCode = (
  reason: Standing['reason'] | undefined,
): reason is ErrorCode & Standing['reason'] => reason != null && reason in errors;
