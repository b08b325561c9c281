import { Command, Option } from 'commander';
import { adaptersIn } from '../../model/configuration/adapter-edits';
import { type EditOptions, readConfiguration } from '../configuration/edit';
import { confirm } from '../confirm';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { action, type Session } from '../session';
import { counted } from '../text/counted';

export const resetCommand = (): Command =>
  new Command('reset')
    .description(
      'Clears the history of captured and written passwords of the adapter, so that an identical change counts as a new ' +
        'one, and a capture of a password that Lockstep has written itself counts, too.',
    )
    .argument('[adapter]', 'name of the adapter; by default all')
    .addOption(new Option('--dry-run', 'show whose history would be cleared, and change nothing'))
    .addOption(new Option('--yes', 'clear it without asking for confirmation'))
    .addHelpText(
      'after',
      helpText({ examples: [['lockstep adapters reset warehouse', 'clears its history']] }),
    )
    .action(action(reset));

async function reset(
  { output, api }: Session,
  name: string | undefined,
  { dryRun, yes }: EditOptions,
): Promise<Exit> {
  const lockstep = await api();
  // Only a key that may configure reads the configuration; an operator names the adapter.
  const names =
    name === undefined
      ? adaptersIn(await readConfiguration(lockstep)).map((one) => one.name)
      : [name];
  const shown = names.join(', ') || 'no adapter';
  if (dryRun === true) {
    output.show({ sources: names }, () => [`The history of ${shown} would be cleared.`]);
    return 'done';
  }
  if (yes !== true && names.length > 0) await confirm(`Clear the history of ${shown}?`);
  const body = { sources: names };
  const path = ['captures', 'reset'];
  const cleared = await lockstep.send<{ readonly changes: number }>('POST', path, {
    body,
    missing: `There is no adapter "${shown}". "lockstep adapters" lists them.`,
  });
  output.show(cleared, () => [
    `The history of ${shown} is cleared: ${counted(cleared.changes, 'change')} forgotten.`,
  ]);
  return 'done';
}
