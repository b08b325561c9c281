import { WorkflowNotFoundError } from '@temporalio/client';
import {
  type CommandedAccount,
  cancelAccounts,
  endWait,
  parkAccounts,
} from '../../store/changes/commands';
import {
  markDelivered,
  type OpenCommand,
  readOpenCommands,
  releaseChanges,
} from '../../store/worker/unattended';
import {
  accountActivityId,
  CANCEL_SIGNAL,
  crowdActivityId,
  RETRY_SIGNAL,
  SUPERSEDE_SIGNAL,
} from '../../workflows/names';
import type { DispatcherDependencies } from './dispatcher';

type Deps = Pick<DispatcherDependencies, 'db' | 'client'>;

/** Largest number of commands in one run. */
const AT_ONCE = 50;

/**
 * Passes the rows of `store/changes/commands.ts` on to the engine: those of one change in their order, different changes
 * at the same time. A repeated signal or reset has no further effect.
 * @returns whether there may be more to do
 */
export async function deliverCommands(deps: Deps): Promise<boolean> {
  const commands = await readOpenCommands(deps.db, AT_ONCE);
  if (commands.length === 0) return false;
  const byChange = new Map<string, OpenCommand[]>();
  for (const command of commands)
    byChange.set(command.changeId, [...(byChange.get(command.changeId) ?? []), command]);
  await Promise.all(
    [...byChange.values()].map(async (ordered) => {
      for (const command of joined(ordered)) await deliver(deps, command);
    }),
  );
  await markDelivered(
    deps.db,
    commands.map(({ id }) => id),
  );
  return commands.length === AT_ONCE;
}

/** A command to some accounts of a change, or to the whole change. */
interface JoinedCommand extends Pick<OpenCommand, 'changeId' | 'kind'> {
  readonly labels: readonly string[] | null;
}

/** Joins retries of one change that follow each other, so that its workflow wakes once. */
function joined(ordered: readonly OpenCommand[]): JoinedCommand[] {
  const commands: JoinedCommand[] = [];
  for (const { changeId, kind, label } of ordered) {
    const last = commands.at(-1);
    const labels = label === null ? null : [label];
    if (kind !== 'retry' || last?.kind !== 'retry') commands.push({ changeId, kind, labels });
    else {
      const both = last.labels === null || labels === null ? null : [...last.labels, ...labels];
      commands[commands.length - 1] = { changeId, kind, labels: both };
    }
  }
  return commands;
}

async function deliver(deps: Deps, { changeId, kind, labels }: JoinedCommand): Promise<void> {
  const handle = deps.client.workflow.getHandle(changeId);
  try {
    switch (kind) {
      case 'supersede':
        await handle.signal(SUPERSEDE_SIGNAL);
        break;
      case 'cancel':
        if (labels === null) await handle.signal(CANCEL_SIGNAL);
        else await runNow(deps, changeId, await cancelAccounts(deps.db, changeId, labels));
        break;
      case 'retry':
        await runNow(deps, changeId, await endWait(deps.db, changeId, labels));
        break;
      case 'park':
        // The workflow needs no signal: its next attempt finds the account parked.
        await parkAccounts(deps.db, changeId, labels);
    }
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    await releaseChanges(deps.db, [changeId]);
  }
}

/**
 * Makes the engine run the next attempt of these accounts at once. The workflow itself waits for accounts that wait only
 * for their source, and gets a signal; for the others it has activities, which are reset. If there is nothing to run, or
 * the workflow has ended, the change is made due, so that its workflow is checked.
 */
async function runNow(
  deps: Deps,
  changeId: string,
  accounts: readonly CommandedAccount[],
): Promise<void> {
  if (accounts.length === 0) return releaseChanges(deps.db, [changeId]);
  const handle = deps.client.workflow.getHandle(changeId);
  const { status, raw } = await handle.describe();
  if (status.name !== 'RUNNING') return releaseChanges(deps.db, [changeId]);
  const ids = (raw.pendingActivities ?? []).map(({ activityId }) => activityId);
  const activityOf = ({ label, source }: CommandedAccount) =>
    [accountActivityId(label), crowdActivityId(source)].find((id) => ids.includes(id));
  const activities = new Set(accounts.flatMap((account) => activityOf(account) ?? []));
  const sources = new Set(
    accounts.filter((account) => activityOf(account) === undefined).map(({ source }) => source),
  );
  await Promise.all([
    ...[...activities].map((id) => resetActivity(deps, changeId, id)),
    ...[...sources].map((source) => handle.signal(RETRY_SIGNAL, source)),
  ]);
}

/** Has no effect when the activity has ended in the meantime. */
async function resetActivity({ client }: Deps, workflowId: string, id: string): Promise<void> {
  const { namespace } = client.options;
  try {
    await client.workflowService.resetActivity({ namespace, execution: { workflowId }, id });
  } catch (error) {
    if ((error as { readonly code?: number }).code !== GRPC_NOT_FOUND) throw error;
  }
}

const GRPC_NOT_FOUND = 5;
