import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { commandChange } from '../http/commands';
import { changeId } from '../http/ids';
import { action, type Session } from '../session';

export const cancelCommand = (): Command =>
  new Command('cancel')
    .summary('cancel a change, or one account of it')
    .description(
      'Cancels a change: accounts that are not written yet keep their password. Accounts that already hold the new password ' +
        'keep the new one, so the accounts of the person may have different passwords afterwards.',
    )
    .argument('<change>', 'id of the change, or "last" for the newest one')
    .argument('[account]', 'label of one account; default: the whole change')
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep cancel last', 'cancels the newest change'],
          ['lockstep cancel last apps', 'cancels the account in apps; the other accounts continue'],
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
      ? 'Cancellation requested. Accounts that hold the new password keep it.'
      : `Cancellation of ${account} requested. A write that has begun is finished.`,
    `Next: lockstep status ${id}`,
  ]);
  return 'done';
}
