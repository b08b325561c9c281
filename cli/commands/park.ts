import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { commandChange } from '../http/commands';
import { changeId } from '../http/ids';
import { action, type Session } from '../session';

export const parkCommand = (): Command =>
  new Command('park')
    .summary('try waiting accounts no more')
    .description(
      'Tries the waiting accounts of a change no more, until somebody retries them or the change becomes too old. Its ' +
        'password is kept until then.',
    )
    .argument('<change>', 'id of the change; "last" is the newest')
    .argument('[account]', 'one account, by its label; all that wait when left out')
    .addHelpText(
      'after',
      helpText({
        examples: [['lockstep park last apps', 'leaves the account in apps until you retry it']],
      }),
    )
    .action(action(park));

async function park({ output, api }: Session, given: string, account?: string): Promise<Exit> {
  const lockstep = await api();
  const id = await changeId(lockstep, given);
  const change = await commandChange(lockstep, id, 'park', account);
  output.show(change, () => [
    `Asked to park ${account ?? 'every waiting account'}.`,
    `Next: lockstep retry ${id}${account === undefined ? '' : ` ${account}`}`,
  ]);
  return 'done';
}
