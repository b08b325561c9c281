import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { commandChange } from '../http/commands';
import { changeId } from '../http/ids';
import { action, type Session } from '../session';

export const retryCommand = (): Command =>
  new Command('retry')
    .summary('try waiting accounts at once')
    .description(
      'Tries the waiting accounts of a change at once, after what kept them was put right. A change that has ended has ' +
        'no password any more: start a new one.',
    )
    .argument('<change>', 'id of the change; "last" is the newest')
    .argument('[account]', 'one account, by its label; all that wait when left out')
    .addHelpText(
      'after',
      helpText({ examples: [['lockstep retry last apps', 'tries the account in apps at once']] }),
    )
    .action(action(retry));

async function retry({ output, api }: Session, given: string, account?: string): Promise<Exit> {
  const lockstep = await api();
  const id = await changeId(lockstep, given);
  const change = await commandChange(lockstep, id, 'retry', account);
  output.show(change, () => [
    `Asked to try ${account ?? 'every waiting account'} at once.`,
    `Next: lockstep status ${id} --watch`,
  ]);
  return 'done';
}
