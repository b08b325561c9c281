import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { commandChange } from '../http/commands';
import { changeId } from '../http/ids';
import { action, type Session } from '../session';

export const cancelCommand = (): Command =>
  new Command('cancel')
    .summary('stop a change, or one account of it')
    .description(
      'Stops a change: accounts that are not written yet are left alone. Those that hold the new password keep it, so ' +
        'the passwords of the person may differ afterwards.',
    )
    .argument('<change>', 'id of the change; "last" is the newest')
    .argument('[account]', 'one account, by its label; the whole change when left out')
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep cancel last', 'stops the newest change'],
          ['lockstep cancel last apps', 'leaves the account in apps; the others go on'],
        ],
      }),
    )
    .action(action(cancel));

async function cancel({ output, api }: Session, given: string, account?: string): Promise<Exit> {
  const lockstep = await api();
  const id = await changeId(lockstep, given);
  const change = await commandChange(lockstep, id, 'cancel', account);
  output.show(change, () => [
    account === undefined
      ? 'Asked to stop. What is written stays written.'
      : `Asked to leave ${account} as it is. What is being written is finished.`,
    `Next: lockstep status ${id}`,
  ]);
  return 'done';
}
