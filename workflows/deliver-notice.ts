import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { NoticeActivities } from '../activities/notices';

const local = proxyLocalActivities<NoticeActivities>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
});

/**
 * Delivers one notice to all its destinations, each with its own retries. A destination that fails delays no other.
 *
 * The notice comes from the table `notice`; `worker/notices` starts this workflow from its row. The arguments
 * hold nothing secret or personal: ids of the notice and of its deliveries.
 */
export async function deliverNotice(noticeId: string): Promise<void> {
  for (;;) {
    const open = await local.openDeliveries(noticeId);
    if (open.length === 0) return;
    await Promise.all(open.map(deliver));
  }
}

/** Repeats until the notice is delivered or has failed for good. The activity itself ends it at its age limit. */
const deliver = (deliveryId: string): Promise<void> =>
  proxyActivities<NoticeActivities>({
    activityId: deliveryId,
    summary: 'send the notice to one destination',
    startToCloseTimeout: '3 minutes',
    // Without a heartbeat, another worker would take over from a killed worker only after those three minutes.
    heartbeatTimeout: '20s',
    // Each attempt requests its own wait before the next one. This interval applies only after a worker was lost.
    retry: { initialInterval: '1s', maximumInterval: '1 minute' },
  }).deliverNotice(deliveryId);
