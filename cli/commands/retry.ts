import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { commandChange } from '../http/commands';
import { changeId } from '../http/ids';
import { action, type Session } from '../session';

export const retryCommand = (): Command =>
  new Command('retry')
    .summary('retry waiting and parked accounts of a change now')
    .description(
      'Retries waiting and parked accounts of a change now, for example after you have corrected the cause. A change that has ended no ' +
        'longer has its password: start a new one with "lockstep change".',
    )
    .argument('<change>', 'id of the change, or "last" for the newest one')
    .argument('[account]', 'label of one account; default: every waiting or parked account')
    .addHelpText(
      'after',
      helpText({ examples: [['lockstep retry last apps', 'retries the account in apps now']] }),
    )
    .action(action(retry));

async function retry({ output, api }: Session, given: string, account?: string): Promise<Exit> {
  const lockstep = await api();
  const id = await changeId(lockstep, given);
  const change = await commandChange(lockstep, id, 'retry', account);
  output.show(change, () => [
    `Retry of ${account ?? 'every waiting account'} requested.`,
    `Next: lockstep status ${id} --watch`,
  ]);
  return 'done';
}
