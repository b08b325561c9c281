import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { commandChange } from '../http/commands';
import { changeId } from '../http/ids';
import { action, type Session } from '../session';

export const parkCommand = (): Command =>
  new Command('park')
    .summary('stop retrying waiting accounts of a change')
    .description(
      'Stops retrying waiting accounts of a change until "lockstep retry" or until the change expires. Lockstep keeps the ' +
        'password of the change until then.',
    )
    .argument('<change>', 'id of the change, or "last" for the newest one')
    .argument('[account]', 'label of one account; default: every waiting account')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep park last apps',
            'stops retrying the account in apps until you run "lockstep retry last apps"',
          ],
        ],
      }),
    )
    .action(action(park));

async function park({ output, api }: Session, given: string, account?: string): Promise<Exit> {
  const lockstep = await api();
  const id = await changeId(lockstep, given);
  const change = await commandChange(lockstep, id, 'park', account);
  output.show(change, () => [
    `Parking of ${account ?? 'every waiting account'} requested.`,
    `Next: lockstep retry ${id}${account === undefined ? '' : ` ${account}`}`,
  ]);
  return 'done';
}
