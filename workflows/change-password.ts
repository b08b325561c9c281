import {
  ApplicationFailure,
  CancellationScope,
  defineSignal,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import type { AuthStep } from '../activities/change-auth-account';
import type { Closing, Stop } from '../activities/close-change';
import type { PassResult } from '../activities/pass-over-source';
import type { ChangeState } from '../model/change/change';
import { isSettled } from '../model/change/outcome';
import { finishAccounts, inline, passAgain, passOver } from './lanes';
import { CANCEL_SIGNAL, RETRY_SIGNAL, SUPERSEDE_SIGNAL } from './names';
import { showEnd, showLines, showState } from './operators-view';
import { type WakeUps, wakeUps } from './wake-ups';

export const cancelSignal = defineSignal(CANCEL_SIGNAL);
export const supersedeSignal = defineSignal(SUPERSEDE_SIGNAL);
export const retrySignal = defineSignal<[source: string]>(RETRY_SIGNAL);

/**
 * Carries one new password of one person to all their accounts. This file is only the order of the steps; each step is
 * an activity (`activities/index.ts`), which stores the outcome of every account, failures included. The lanes that run
 * the activities are in `lanes.ts`.
 *
 * The change comes from `intake/accept.ts`, which stores it; `worker/changes` starts this workflow from its row. The
 * arguments and results hold nothing secret or personal: the id of the change, source names, labels and counts.
 *
 * @returns the final state of the change
 * @throws ApplicationFailure when accounts do not hold the new password although no one cancelled or replaced the change,
 *   so that the Web UI lists the change among the failures
 */
export async function changePassword(changeId: string): Promise<ChangeState> {
  const work = new CancellationScope();
  const wakes = wakeUps();
  let stop: Stop = 'cancelled';
  setHandler(cancelSignal, () => work.cancel());
  setHandler(supersedeSignal, () => {
    stop = 'superseded';
    work.cancel();
  });
  setHandler(retrySignal, wakes.wake);

  let closing: Closing | null = null;
  try {
    stop = await work.run(() => changeAccounts(changeId, wakes));
  } catch (error) {
    if (!isCancellation(error)) throw error;
  } finally {
    // However the change ends: settle the SSO mappings, end the open outcomes and destroy the password.
    try {
      closing = await CancellationScope.nonCancellable(() => inline.closeChange(changeId, stop));
    } finally {
      showEnd(closing);
    }
  }
  if (closing.failure != null) throw failedChange(closing.state, closing.failure);
  return closing.state;
}

function failedChange(state: ChangeState, message: string): ApplicationFailure {
  const failure = ApplicationFailure.nonRetryable(message, state);
  // The Web UI shows the stack, and file paths do not help an operator.
  failure.stack = '';
  return failure;
}

type End = Extract<Stop, 'finished' | 'expired'>;

/**
 * The auth account first, then every other account; a group that is directory-last writes its auth account at the end.
 */
async function changeAccounts(changeId: string, wakes: WakeUps): Promise<End> {
  const plan = await changeAuthAccount(changeId, wakes);
  const { auth, authGoesLast, remainingMs } = plan;
  if (auth === null) return 'finished';

  const reached = await waitForAuthAccount(changeId, auth, plan);
  if (reached !== 'ready') return reached === 'expired' ? 'expired' : 'finished';

  const others = await changeOtherAccounts(changeId, plan, wakes);
  if (!authGoesLast || others === 'expired') return others;

  const last = await finishAccounts(changeId, auth.source, auth.label, remainingMs);
  return last.waiting.length === 0 ? 'finished' : 'expired';
}

/**
 * Number of waits for a source in the workflow itself, which cost much less than an activity for each account. After them
 * the accounts get activities, whose further attempts add nothing to the history.
 */
const WAITS_IN_WORKFLOW = 3;

/** Plans the change and tries the auth account, again after each wait while that waits only for its source. */
async function changeAuthAccount(changeId: string, wakes: WakeUps): Promise<AuthStep> {
  let plan = await inline.changeAuthAccount(changeId);
  if (!plan.auth?.lookInMs) return plan;
  showAuthWaits(plan.auth, plan);
  for (let waits = 0; plan.auth?.lookInMs && waits < WAITS_IN_WORKFLOW; waits++) {
    await wakes.wait(plan.auth.source, plan.auth.lookInMs);
    plan = await inline.changeAuthAccount(changeId);
  }
  if (plan.auth?.state !== 'waiting') showState('applying', plan);
  return plan;
}

type Auth = NonNullable<AuthStep['auth']>;

function showAuthWaits({ source, state }: Auth, plan: AuthStep): void {
  showLines([`auth account in ${source}: waiting; no other account is attempted before it`]);
  if (state === 'waiting') showState('waiting', plan);
}

/**
 * Waits until the auth account is settled, with retries on the queue lane when its first attempt was not enough.
 * @returns `ready` when the other accounts may be changed: the auth account holds the new password, or was validated
 *   and goes last
 */
async function waitForAuthAccount(
  changeId: string,
  auth: Auth,
  plan: AuthStep,
): Promise<'ready' | 'refused' | 'expired'> {
  if (auth.state === 'applied' || auth.othersFirst) return 'ready';
  if (isSettled(auth.state)) return 'refused';
  if (auth.lookInMs === 0) return 'expired';
  if (auth.lookInMs === undefined) showAuthWaits(auth, plan);
  const late = await finishAccounts(changeId, auth.source, auth.label, plan.remainingMs);
  if (late.waiting.length > 0) return 'expired';
  if (late.applied !== 1 && !late.othersFirst) return 'refused';
  if (auth.state === 'waiting') showState('applying', plan);
  return 'ready';
}

/**
 * A first pass over every source, in parallel; then retries for the accounts that wait, also in parallel. The mappings are
 * settled after the first pass and after each late account, so that none lags behind while others wait.
 */
async function changeOtherAccounts(changeId: string, plan: AuthStep, wakes: WakeUps): Promise<End> {
  const { passes, remainingMs } = plan;
  const steps = await inParallel(passes.map((pass) => passOver(changeId, pass, remainingMs)));
  const passed = steps.flat();
  const waiting = passed.filter((pass) => pass.waiting.length > 0);
  if (waiting.length === 0) return 'finished';

  showLines(passed.map(lineOf));
  showState('waiting', plan);
  if (!passed.every(({ mappingsSettled }) => mappingsSettled))
    await inline.settleMappings(changeId);
  const ends = await inParallel(waiting.map((pass) => finishPass(changeId, plan, pass, wakes)));
  return ends.includes('expired') ? 'expired' : 'finished';
}

/**
 * Passes over a source again, after each wake-up or wait, while its accounts wait only for it. Then retries those that
 * still wait, each with an activity of its own.
 */
async function finishPass(
  changeId: string,
  { passes, remainingMs }: AuthStep,
  first: PassResult,
  wakes: WakeUps,
): Promise<End> {
  let pass = first;
  for (let waits = 0; pass.lookInMs && waits < WAITS_IN_WORKFLOW; waits++) {
    await wakes.wait(pass.source, pass.lookInMs);
    pass = await passAgain(changeId, passes, pass.source, remainingMs);
  }
  if (pass.lookInMs === 0) return 'expired';
  const late = await inParallel(retryWaiting(changeId, pass, remainingMs));
  return late.every((result) => result.waiting.length === 0) ? 'finished' : 'expired';
}

/**
 * Above this number, the waiting accounts of one source share one activity: each activity costs Temporal three events.
 */
const MAX_ACTIVITIES_PER_SOURCE = 50;

function retryWaiting(
  changeId: string,
  pass: PassResult,
  remainingMs: number,
): Promise<PassResult>[] {
  const labels = pass.waiting.length > MAX_ACTIVITIES_PER_SOURCE ? [null] : pass.waiting;
  return labels.map(async (label) => {
    const result = await finishAccounts(changeId, pass.source, label, remainingMs);
    if (result.applied > 0) await inline.settleMappings(changeId);
    return result;
  });
}

const lineOf = ({ source, accounts, applied, waiting }: PassResult): string =>
  `${source}: ${applied} of ${accounts} changed` +
  (waiting.length === 0 ? '' : `, waiting: ${waiting.join(', ')}`);

/**
 * Waits for all steps even when one of them fails: after a cancellation, a running step ends before the change closes.
 */
async function inParallel<Result>(steps: Promise<Result>[]): Promise<Result[]> {
  await Promise.allSettled(steps);
  return Promise.all(steps);
}
