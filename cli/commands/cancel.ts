import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { changeId, noChange } from '../http/ids';
import type { Change } from '../http/shapes';
import { action, type Session } from '../session';
import { teach } from '../teach';

export const cancelCommand = (): Command =>
  new Command('cancel')
    .summary('stop a change')
    .description(
      'Stops a change: accounts that are not written yet are left alone. Those that hold the new password keep it, so ' +
        'the passwords of the person may differ afterwards.',
    )
    .argument('<change>', 'id of the change; "last" is the newest')
    .addHelpText(
      'after',
      teach({ examples: [['lockstep cancel last', 'stops the newest change']] }),
    )
    .action(action(cancel));

async function cancel({ output, api }: Session, given: string): Promise<Exit> {
  const lockstep = await api();
  const id = await changeId(lockstep, given);
  const change = await lockstep.send<Change>('POST', ['changes', id, 'cancel'], {
    missing: noChange(id),
  });
  output.show(change, () => [
    'Asked to stop. What is written stays written.',
    `Next: lockstep status ${id}`,
  ]);
  return 'done';
}
