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
  giveBack,
  markDelivered,
  type OpenCommand,
  readOpenCommands,
  takeUnattended,
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
  /** On the connection of the worker itself: only then is a workflow started eagerly, without a task queue between. */
  readonly client: Client;
  /** Closes a change whose workflow ended without closing it. */
  readonly close: (changeId: string) => Promise<unknown>;
  readonly linkTo: (changeId: string) => string;
}

const AT_ONCE = 50;

const stateKey = defineSearchAttributeKey(searchAttributes.state, 'KEYWORD');
const groupKey = defineSearchAttributeKey(searchAttributes.group, 'KEYWORD_LIST');

/**
 * From rows to workflows: starts one for each accepted change, exactly once, and passes commands on as signals. The rows
 * are the truth; a start or a signal that is repeated does no harm.
 * @returns whether there may be more to do
 */
export async function dispatch(deps: DispatcherDependencies): Promise<boolean> {
  const changes = await takeUnattended(deps.db, AT_ONCE);
  try {
    await Promise.all(changes.map((change) => attend(deps, change)));
  } catch (error) {
    await giveBack(
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
      staticSummary: `change in ${change.groups.join(', ')}`,
      staticDetails: `[Open this change](${deps.linkTo(change.id)})`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    if (change.planned) await closeWhenOver(deps, change.id);
  }
}

/** Someone terminated the workflow in the Web UI: its change must not stay open for ever, nor its password sealed (I2, I9). */
async function closeWhenOver(deps: DispatcherDependencies, changeId: string): Promise<void> {
  const { status } = await deps.client.workflow.getHandle(changeId).describe();
  if (status.name === 'RUNNING') return;
  log.warn('the workflow of an open change is over; closing the change', { changeId });
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
        // Its activity finds out by itself: it has nothing to try.
        await parkAccounts(deps.db, changeId, label);
    }
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    await giveBack(deps.db, [changeId]);
  }
}

/**
 * The activities of these accounts do not wait any longer: the engine runs their next attempt at once. Where it has none
 * of them, the change has ended, or the engine has lost it: then it is looked after at once.
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
  let known = false;
  for (const id of ids)
    try {
      await deps.client.workflowService.resetActivity({
        namespace,
        execution: { workflowId: changeId },
        id,
      });
      known = true;
    } catch (error) {
      if ((error as { readonly code?: number }).code !== GRPC_NOT_FOUND) throw error;
    }
  if (!known) await giveBack(deps.db, [changeId]);
}

const GRPC_NOT_FOUND = 5;
