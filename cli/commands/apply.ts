import { Command } from 'commander';
import { applyPlanned } from '../configuration/apply-planned';
import { yesOption } from '../configuration/edit';
import { planFile } from '../configuration/preview';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { action, type Session } from '../session';

interface Options {
  readonly file: string;
  readonly yes?: true;
}

export const applyCommand = (): Command =>
  new Command('apply')
    .summary('apply a configuration')
    .description(
      'Shows what would change, asks for confirmation and applies the configuration. Nothing is applied if another operator has ' +
        'applied a configuration in the meantime.',
    )
    .option('-f, --file <file>', 'path of the configuration', 'lockstep.yaml')
    .addOption(yesOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep apply --yes -o json',
            'applies from a script: no question, and the new version as JSON',
          ],
        ],
        exits: {
          usage: 'the configuration is not valid; every error is shown with its line and column',
        },
      }),
    )
    .action(action(apply));

async function apply({ output, api }: Session, { file, yes }: Options): Promise<Exit> {
  const lockstep = await api();
  return applyPlanned(output, lockstep, await planFile(lockstep, file), yes === true);
}
