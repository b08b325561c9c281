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
      for (const command of ordered) await deliver(deps, command);
    }),
  );
  await markDelivered(
    deps.db,
    commands.map(({ id }) => id),
  );
  return commands.length === AT_ONCE;
}

async function deliver(deps: Deps, { changeId, kind, label }: OpenCommand): Promise<void> {
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
  deps: Deps,
  changeId: string,
  accounts: readonly CommandedAccount[],
): Promise<void> {
  const alone = await Promise.all(
    accounts.map(async (account) => ({
      ...account,
      reset: await resetActivity(deps, changeId, accountActivityId(account.label)),
    })),
  );
  // Too many accounts of one source have one activity together.
  const crowded = new Set(alone.flatMap(({ source, reset }) => (reset ? [] : [source])));
  const crowds = await Promise.all(
    [...crowded].map((source) => resetActivity(deps, changeId, crowdActivityId(source))),
  );
  if (!alone.some(({ reset }) => reset) && !crowds.includes(true))
    await releaseChanges(deps.db, [changeId]);
}

/** @returns false when the engine has no such activity */
async function resetActivity({ client }: Deps, workflowId: string, id: string): Promise<boolean> {
  const { namespace } = client.options;
  try {
    await client.workflowService.resetActivity({ namespace, execution: { workflowId }, id });
    return true;
  } catch (error) {
    if ((error as { readonly code?: number }).code !== GRPC_NOT_FOUND) throw error;
    return false;
  }
}

const GRPC_NOT_FOUND = 5;
