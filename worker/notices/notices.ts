import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { AppliedConfiguration } from '../../store/configuration/versions';
import type { Database } from '../../store/database';
import { claimUnattendedNotices, releaseNotices, spreadNotices } from '../../store/notices/spread';
import { CHANGES_QUEUE, DELIVER_NOTICE } from '../../workflows/names';
import { type Loop, startLoop } from '../loop';
import { destinationsOf } from './destinations';

export interface NoticeSettings {
  readonly db: Database;
  readonly client: Client;
  readonly configuration: () => Promise<AppliedConfiguration>;
}

/** Largest number of notices in one run. */
const AT_ONCE = 50;

/** Starts the loop that turns the rows of the table notice into deliveries, and those into workflows. */
export const startNotices = (settings: NoticeSettings): Loop =>
  startLoop({ name: 'notices', everyMs: 1_000 }, () => sendNotices(settings));

/** @returns whether there may be more to do */
async function sendNotices({ db, client, configuration }: NoticeSettings): Promise<boolean> {
  const due = await spreadNotices(db, AT_ONCE, async () => {
    const inForce = (await configuration()).configuration;
    return (notice) => destinationsOf(inForce, notice);
  });
  const ids = await claimUnattendedNotices(db, AT_ONCE);
  try {
    await Promise.all(ids.map((id) => attend(client, id)));
  } catch (error) {
    await releaseNotices(db, ids);
    throw error;
  }
  return due === AT_ONCE || ids.length === AT_ONCE;
}

/** Starts the workflow of a notice, also after an earlier one was terminated: it continues with what is open. */
async function attend(client: Client, noticeId: string): Promise<void> {
  try {
    await client.workflow.start(DELIVER_NOTICE, {
      workflowId: noticeId,
      taskQueue: CHANGES_QUEUE,
      args: [noticeId],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: 'Delivery of a notice',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
