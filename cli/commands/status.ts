import { Command } from 'commander';
import { type Exit, exitCodes, exitOf } from '../exit-codes';
import { helpText } from '../help-text';
import type { Change } from '../http/answers';
import { changeIdOrPerson, noChange } from '../http/ids';
import { action, type Session } from '../session';
import { inFull } from '../text/change-text';
import { watch } from '../text/watch';
import { seconds } from '../values';

export const statusCommand = (): Command =>
  new Command('status')
    .summary('show the state of a change and of each account in it')
    .description(
      'Shows the state of a change: each account with its state, why it does not hold the new password, and what to do next.',
    )
    .argument(
      '<change>',
      'id of the change, "last" for the newest one, or the name of a person for their newest one',
    )
    .option('--watch', 'show the progress until the change ends')
    .option(
      '--wait <seconds>',
      'with --watch: how long to watch (default: until the change ends)',
      seconds,
    )
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep status last --watch', 'follows the newest change to its end'],
          ['lockstep status alice', 'shows the newest change of alice'],
        ],
        exits: {
          done: 'every account holds the new password',
          failed: 'the change was refused, failed, expired, or was cancelled or superseded',
          partial: exitCodes.partial.says,
          pending: exitCodes.pending.says,
        },
      }),
    )
    .action(action(status));

async function status(
  session: Session,
  given: string,
  options: { readonly watch?: true; readonly wait?: number },
): Promise<Exit> {
  const { output } = session;
  const api = await session.api();
  const id = await changeIdOrPerson(api, given);
  const current = await api.get<Change>(['changes', id], { missing: noChange(id) });
  const change = options.watch ? await watch(session, api, current, options.wait) : current;
  output.show(change, () => inFull(output, change, Date.now()));
  return exitOf(change.state);
}
