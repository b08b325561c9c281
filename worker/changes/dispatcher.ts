import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { log } from '../../log';
import {
  type CommandedAccount,
  cancelAccounts,
  endWait,
  parkAccounts,
} from '../../store/changes/commands';
import type { Database } from '../../store/database';
import {
  claimUnattended,
  markDelivered,
  type OpenCommand,
  readOpenCommands,
  releaseChanges,
  type UnattendedChange,
} from '../../store/worker/unattended';
import {
  accountActivityId,
  CANCEL_SIGNAL,
  CHANGE_PASSWORD,
  CHANGES_QUEUE,
  crowdActivityId,
  SUPERSEDE_SIGNAL,
  searchAttributes,
} from '../../workflows/names';

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
  readonly linkTo: (changeId: string) => string;
}

/** Largest number of changes, and of commands, in one run. */
const AT_ONCE = 50;

const stateKey = defineSearchAttributeKey(searchAttributes.state, 'KEYWORD');
const groupKey = defineSearchAttributeKey(searchAttributes.group, 'KEYWORD_LIST');

/**
 * Turns rows into workflows: starts exactly one workflow for each change that `store/changes/accept.ts` has stored,
 * and passes the rows of `store/changes/commands.ts` on. The rows are authoritative; a repeated start, signal or
 * reset has no further effect.
 * @returns whether there may be more to do
 * @throws the error of the engine; then the changes are due again at once
 */
export async function dispatch(deps: DispatcherDependencies): Promise<boolean> {
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
  const commands = await readOpenCommands(deps.db, AT_ONCE);
  for (const command of commands) await deliver(deps, command);
  if (commands.length > 0)
    await markDelivered(
      deps.db,
      commands.map(({ id }) => id),
    );
  return changes.length === AT_ONCE || commands.length === AT_ONCE;
}

async function attend(deps: DispatcherDependencies, change: UnattendedChange): Promise<void> {
  try {
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
      staticDetails: `[Open this change](${deps.linkTo(change.id)})`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    if (change.planned) await closeWhenOver(deps, change.id);
  }
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

async function deliver(
  deps: DispatcherDependencies,
  { changeId, kind, label }: OpenCommand,
): Promise<void> {
  const handle = deps.client.workflow.getHandle(changeId);
  try {
    switch (kind) {
      case 'supersede':
        await handle.signal(SUPERSEDE_SIGNAL);
        break;
      case 'cancel':
        if (label === null) await handle.signal(CANCEL_SIGNAL);
        else await runNow(deps, changeId, await cancelAccounts(deps.db, changeId, label));
        break;
      case 'retry':
        await runNow(deps, changeId, await endWait(deps.db, changeId, label));
        break;
      case 'park':
        // The activity of the account needs no signal: its next attempt finds the account parked.
        await parkAccounts(deps.db, changeId, label);
    }
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    await releaseChanges(deps.db, [changeId]);
  }
}

/**
 * Makes the engine run the next attempt of these accounts at once. If it has no activity for any of them, the change
 * has ended or the engine has lost its workflow; then the change is made due, so that its workflow is checked.
 */
async function runNow(
  deps: DispatcherDependencies,
  changeId: string,
  accounts: readonly CommandedAccount[],
): Promise<void> {
  const { namespace } = deps.client.options;
  const ids = new Set(
    accounts.flatMap(({ label, source }) => [accountActivityId(label), crowdActivityId(source)]),
  );
  let reset = false;
  for (const id of ids)
    try {
      await deps.client.workflowService.resetActivity({
        namespace,
        execution: { workflowId: changeId },
        id,
      });
      reset = true;
    } catch (error) {
      if ((error as { readonly code?: number }).code !== GRPC_NOT_FOUND) throw error;
    }
  if (!reset) await releaseChanges(deps.db, [changeId]);
}

const GRPC_NOT_FOUND = 5;
