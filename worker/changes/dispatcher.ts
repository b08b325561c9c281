import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { log } from '../../log';
import type { Database } from '../../store/database';
import {
  claimUnattended,
  releaseChanges,
  type UnattendedChange,
} from '../../store/worker/unattended';
import { traced } from '../../telemetry/spans';
import { CHANGE_PASSWORD, CHANGES_QUEUE, searchAttributes } from '../../workflows/names';

export interface DispatcherDependencies {
  readonly db: Database;
  /**
   * A client on the connection of the worker: only then is a workflow started eagerly, without going through a task
   * queue.
   */
  readonly client: Client;
  /** Closes a change whose workflow has ended without closing it. */
  readonly close: (changeId: string) => Promise<unknown>;
  /** URL of the page of a change, for the Temporal Web UI. */
  readonly linkTo: (changeId: string) => Promise<string>;
}

/** Largest number of changes in one run. */
const AT_ONCE = 50;

const stateKey = defineSearchAttributeKey(searchAttributes.state, 'KEYWORD');
const groupKey = defineSearchAttributeKey(searchAttributes.group, 'KEYWORD_LIST');

/**
 * Turns rows into workflows: starts exactly one workflow for each change that `store/changes/accept.ts` has stored. The
 * rows are authoritative; a repeated start has no further effect.
 * @returns whether there may be more to do
 * @throws the error of the engine; then the changes are due again at once
 */
export async function startChanges(deps: DispatcherDependencies): Promise<boolean> {
  const changes = await claimUnattended(deps.db, AT_ONCE);
  try {
    await Promise.all(changes.map((change) => attend(deps, change)));
  } catch (error) {
    await releaseChanges(
      deps.db,
      changes.map(({ id }) => id),
    );
    throw error;
  }
  return changes.length === AT_ONCE;
}

async function attend(deps: DispatcherDependencies, change: UnattendedChange): Promise<void> {
  try {
    if (change.planned) await start(deps, change);
    else await traced('dispatch', { changeId: change.id }, () => start(deps, change));
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    if (change.planned) await closeWhenOver(deps, change.id);
  }
}

async function start(deps: DispatcherDependencies, change: UnattendedChange): Promise<void> {
  const link = await deps.linkTo(change.id);
  await deps.client.workflow.start(CHANGE_PASSWORD, {
    workflowId: change.id,
    taskQueue: CHANGES_QUEUE,
    args: [change.id],
    requestEagerStart: true,
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    typedSearchAttributes: [
      { key: stateKey, value: 'applying' },
      { key: groupKey, value: [...change.groups] },
    ],
    staticSummary: `Password change in ${change.groups.join(', ')}`,
    staticDetails: `[Open this change](${link})`,
  });
}

/**
 * Closes a change whose workflow has ended, for example because an operator terminated it in the Web UI. Otherwise
 * the change would stay open for ever, and its password sealed (I2, I9).
 */
async function closeWhenOver(deps: DispatcherDependencies, changeId: string): Promise<void> {
  const { status } = await deps.client.workflow.getHandle(changeId).describe();
  if (status.name === 'RUNNING') return;
  log.warn(
    'the workflow of an open change has ended without closing it; the change is closed as cancelled',
    { changeId },
  );
  await deps.close(changeId);
}
