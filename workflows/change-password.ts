import { CancellationScope, defineSignal, isCancellation, setHandler } from '@temporalio/workflow';
import type { Closing, Stop } from '../activities/close-change';
import type { PassResult } from '../activities/pass-over-source';
import type { ChangeState } from '../model/change/change';
import { isSettled } from '../model/change/outcome';
import type { SourcePass } from '../model/change/plan';
import { finishAccounts, inline, passOverSource } from './lanes';
import { CANCEL_SIGNAL, SUPERSEDE_SIGNAL } from './names';
import { tell, tellTheEnd } from './operators-view';

export const cancelSignal = defineSignal(CANCEL_SIGNAL);
export const supersedeSignal = defineSignal(SUPERSEDE_SIGNAL);

/**
 * One new password of one person, carried to all their accounts. What becomes of each account is kept in the store; here is
 * only the order of things. Nothing secret or personal passes through: the id of the change, labels, counts.
 */
export async function changePassword(changeId: string): Promise<ChangeState> {
  const work = new CancellationScope();
  let stop: Stop = 'cancelled';
  setHandler(cancelSignal, () => work.cancel());
  setHandler(supersedeSignal, () => {
    stop = 'superseded';
    work.cancel();
  });

  let closing: Closing | null = null;
  try {
    stop = await work.run(() => carryOut(changeId));
  } catch (error) {
    if (!isCancellation(error)) throw error;
  } finally {
    try {
      closing = await CancellationScope.nonCancellable(() => inline.closeChange(changeId, stop));
    } finally {
      tellTheEnd(closing);
    }
  }
  return closing.state;
}

type Step = Extract<Stop, 'finished' | 'expired'>;

async function carryOut(changeId: string): Promise<Step> {
  const { auth, authGoesLast, passes, remainingMs } = await inline.changeAuthAccount(changeId);
  if (auth === null) return 'finished';
  let goOn = auth.state === 'applied' || auth.othersFirst;
  if (!isSettled(auth.state) && !auth.othersFirst) {
    tell([`auth account in ${auth.source}: waiting, nobody else is attempted before it`]);
    const late = await finishAccounts(changeId, auth.source, auth.label, remainingMs);
    if (late.waiting.length > 0) return 'expired';
    goOn = late.applied === 1 || late.othersFirst;
  }
  if (!goOn) return 'finished';
  const others = await changeOthers(changeId, passes, remainingMs);
  if (!authGoesLast || others === 'expired') return others;
  const last = await finishAccounts(changeId, auth.source, auth.label, remainingMs);
  return last.waiting.length === 0 ? 'finished' : 'expired';
}

async function changeOthers(
  changeId: string,
  passes: readonly SourcePass[],
  remainingMs: number,
): Promise<Step> {
  const passed = await everyOne(passes.map((pass) => passOverSource(changeId, pass, remainingMs)));
  const waiting = passed.filter((pass) => pass.waiting.length > 0);
  if (waiting.length === 0) return 'finished';

  tell(passed.map(lineOf));
  await inline.settleMappings(changeId);
  const late = await everyOne(waiting.flatMap((pass) => finishLater(changeId, pass, remainingMs)));
  return late.every((result) => result.waiting.length === 0) ? 'finished' : 'expired';
}

/** More waiting accounts of one source than this share one activity: each costs the engine three events. */
const CROWD = 50;

function finishLater(changeId: string, pass: PassResult, untilMs: number): Promise<PassResult>[] {
  const labels = pass.waiting.length > CROWD ? [null] : pass.waiting;
  return labels.map(async (label) => {
    const result = await finishAccounts(changeId, pass.source, label, untilMs);
    if (result.applied > 0) await inline.settleMappings(changeId);
    return result;
  });
}

const lineOf = ({ source, accounts, applied, waiting }: PassResult): string =>
  `${source}: ${applied} of ${accounts} changed` +
  (waiting.length === 0 ? '' : `, waiting: ${waiting.join(', ')}`);

/** Side by side; when the change is cancelled, whatever is running comes to its end first. */
async function everyOne<Result>(steps: Promise<Result>[]): Promise<Result[]> {
  await Promise.allSettled(steps);
  return Promise.all(steps);
}
