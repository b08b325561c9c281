import {
  ActivityCancellationType,
  type ActivityOptions,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { Activities } from '../activities';
import type { Stop } from '../activities/close-change';
import type { PassResult } from '../activities/pass-over-source';
import type { SourcePass } from '../model/change/plan';
import { accountActivityId, crowdActivityId, sourceQueue } from './names';

/**
 * The inline lane: inside the workflow task, a few seconds, one event, no task queue. A step is repeated until the
 * store can be reached; what an account came to is in the store, so a repeat goes on with the rest. A step that runs is
 * waited for when the change is cancelled, so that its outcome is known.
 */
const local = proxyLocalActivities<Activities>({
  startToCloseTimeout: '5 minutes',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

/** Each with the line that the Web UI shows for it. */
export const inline = {
  changeAuthAccount: (changeId: string) =>
    local.changeAuthAccount.executeWithOptions({ summary: 'plan, then the auth account' }, [
      changeId,
    ]),
  passOverSource: (changeId: string, source: string) =>
    local.passOverSource.executeWithOptions({ summary: source }, [changeId, source]),
  settleMappings: (changeId: string) =>
    local.settleMappings.executeWithOptions({ summary: 'mappings tell the truth' }, [changeId]),
  closeChange: (changeId: string, stop: Stop) =>
    local.closeChange.executeWithOptions({ summary: 'outcomes told, password destroyed' }, [
      changeId,
      stop,
    ]),
};

/** The first pass over a source, in the lane that the plan gave it. */
export function passOverSource(
  changeId: string,
  { source, lane }: SourcePass,
  remainingMs: number,
): Promise<PassResult> {
  if (lane === 'inline') return inline.passOverSource(changeId, source);
  const queue = queueOf(source, remainingMs, {
    activityId: crowdActivityId(source),
    summary: `first pass over ${source}`,
  });
  return unlessTooLate(source, queue.passOverSource(changeId, source));
}

/**
 * The queue lane, for what waits: an activity on the task queue of the source, which says itself how long to wait for
 * the next attempt. The Web UI shows it under its label, where an operator can pause or reset it.
 * @param label one account, or null for all that wait in this source
 */
export function finishAccounts(
  changeId: string,
  source: string,
  label: string | null,
  remainingMs: number,
): Promise<PassResult> {
  const queue = queueOf(source, remainingMs, {
    activityId: label === null ? crowdActivityId(source) : accountActivityId(label),
    summary: `${source} was not ready, tried again`,
  });
  const chosen = label === null ? { source, role: 'member' as const } : { source, label };
  return unlessTooLate(source, queue.finishAccounts(changeId, chosen));
}

const queueOf = (
  source: string,
  remainingMs: number,
  options: Pick<ActivityOptions, 'activityId' | 'summary'>,
) =>
  proxyActivities<Activities>({
    ...options,
    taskQueue: sourceQueue(source),
    startToCloseTimeout: '10 minutes',
    // Without it, the step of a worker that was killed would be given to another one after those ten minutes only.
    heartbeatTimeout: '20s',
    // The last attempt is made when the change gets too old, and says so.
    scheduleToCloseTimeout: remainingMs + 60_000,
    retry: { initialInterval: '1s', maximumInterval: '1 hour' },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });

/** Whatever else ends such an activity leaves its accounts unsettled; that stops nobody else. */
async function unlessTooLate(source: string, result: Promise<PassResult>): Promise<PassResult> {
  try {
    return await result;
  } catch (error) {
    if (isCancellation(error)) throw error;
    // An attempt that was running when the change was cancelled ends with its own failure, and is not repeated.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled');
    return { source, accounts: 0, applied: 0, waiting: [source], othersFirst: false };
  }
}
