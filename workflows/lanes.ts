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
import type { AuthStep, NamedPass } from '../activities/change-auth-account';
import type { Stop } from '../activities/close-change';
import type { PassResult } from '../activities/pass-over-source';
import { accountActivityId, crowdActivityId, passName, sourceQueue } from './names';

/**
 * The inline lane: local activities, which run inside the workflow task, take a few seconds, cost one event and need no
 * task queue. A step is repeated until the store can be reached; outcomes are in the store, so a repeat continues with
 * the accounts that are open. When the change is cancelled, a running step is awaited, so that its outcome is known.
 */
const local = proxyLocalActivities<Activities>({
  startToCloseTimeout: '5 minutes',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

const passSummary = (sources: readonly string[]) => `pass over ${sources.join(', ')}`;

/** The activities of the inline lane, each with the summary that the Web UI shows. */
export const inline = {
  changeAuthAccount: (changeId: string) =>
    local.changeAuthAccount.executeWithOptions(
      { summary: 'make the plan, then change the auth account' },
      [changeId],
    ),
  passOverSources: (changeId: string, sources: readonly string[], activity = 'passOverSources') =>
    local[activity as 'passOverSources'].executeWithOptions({ summary: passSummary(sources) }, [
      changeId,
      sources,
    ]),
  passOverSource: (changeId: string, source: string) =>
    local.passOverSource.executeWithOptions({ summary: passSummary([source]) }, [changeId, source]),
  settleMappings: (changeId: string) =>
    local.settleMappings.executeWithOptions({ summary: 'update the SSO mappings' }, [changeId]),
  closeChange: (changeId: string, stop: Stop) =>
    local.closeChange.executeWithOptions({ summary: 'end all outcomes, destroy the password' }, [
      changeId,
      stop,
    ]),
};

/** A pass of a change that an earlier release planned: each source of the inline lane was a step of its own. */
interface EarlierPass {
  readonly lane: 'inline';
  readonly source: string;
}

/** The first pass over some sources, in the lane that the plan chose for them. */
export async function passOver(
  changeId: string,
  pass: NamedPass | EarlierPass,
  remainingMs: number,
): Promise<PassResult[]> {
  if (pass.lane === 'queue') return [await passInQueue(changeId, pass.source, remainingMs)];
  if ('source' in pass) return [await inline.passOverSource(changeId, pass.source)];
  return inline.passOverSources(changeId, pass.sources, pass.activity);
}

/** A further pass over one source, in the lane in which the plan had it. */
export async function passAgain(
  changeId: string,
  passes: AuthStep['passes'],
  source: string,
  remainingMs: number,
): Promise<PassResult> {
  const queued = passes.some((pass) => pass.lane === 'queue' && pass.source === source);
  if (queued) return passInQueue(changeId, source, remainingMs);
  const [result] = await inline.passOverSources(changeId, [source], passName([source]));
  return result as PassResult;
}

function passInQueue(changeId: string, source: string, remainingMs: number): Promise<PassResult> {
  const queue = queueOf(source, remainingMs, {
    activityId: crowdActivityId(source),
    summary: passSummary([source]),
  });
  return unlessTooLate(source, queue.passOverSource(changeId, source));
}

/**
 * Retries accounts that wait, on the queue lane: an activity on the task queue of the source, which itself names the
 * wait before the next attempt. The Web UI shows it under the label of the account, where an operator can pause or
 * reset it.
 * @param label the account; null for all that wait in this source
 */
export function finishAccounts(
  changeId: string,
  source: string,
  label: string | null,
  remainingMs: number,
): Promise<PassResult> {
  const queue = queueOf(source, remainingMs, {
    activityId: label === null ? crowdActivityId(source) : accountActivityId(label),
    summary: `retry, because ${source} was not ready`,
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
    // Without a heartbeat, another worker would take over the step of a killed worker only after those ten minutes.
    heartbeatTimeout: '20s',
    // The activity makes its last attempt when the change becomes too old; the extra minute leaves time for it.
    scheduleToCloseTimeout: remainingMs + 60_000,
    // Each attempt requests its own wait before the next one. This interval applies only after a worker was lost.
    retry: { initialInterval: '1s', maximumInterval: '30s' },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });

/**
 * An activity that fails for good (its time is over, or an operator ended it) leaves its accounts unsettled, which does
 * not stop the other accounts: the failure becomes a result with something waiting.
 */
async function unlessTooLate(source: string, result: Promise<PassResult>): Promise<PassResult> {
  try {
    return await result;
  } catch (error) {
    if (isCancellation(error)) throw error;
    // An attempt that ran when the change was cancelled ends with its own failure, which here means the cancellation.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled');
    return { source, accounts: 0, applied: 0, waiting: [source], othersFirst: false };
  }
}
