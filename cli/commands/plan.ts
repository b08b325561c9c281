import { Command } from 'commander';
import {
  fitLines,
  hashPathLines,
  planFile,
  planLines,
  warningLines,
} from '../configuration/preview';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { action, type Session } from '../session';

export const planCommand = (): Command =>
  new Command('plan')
    .summary('show what "lockstep apply" would change')
    .description(
      'Checks the configuration, shows how it differs from the applied one, and whether the policy of each group suits the ' +
        'sources of the group. It changes nothing.',
    )
    .option('-f, --file <file>', 'path of the configuration', 'lockstep.yaml')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep plan',
            'checks lockstep.yaml and shows what would be created (+), updated (~) or deleted (-)',
          ],
        ],
        exits: {
          done: 'the configuration is valid, with or without differences',
          usage: 'the configuration is not valid; every error is shown with its line and column',
        },
      }),
    )
    .action(action(plan));

async function plan({ output, api }: Session, { file }: { readonly file: string }): Promise<Exit> {
  const planned = await planFile(await api(), file);
  output.show(planned.plan, () => [
    ...planLines(output, planned.plan),
    ...hashPathLines(output, planned.plan),
    ...warningLines(output, planned.plan),
    ...fitLines(output, planned.plan),
    ...(planned.plan.differences.length === 0 ? [] : [`Next: lockstep apply -f ${file}`]),
  ]);
  return 'done';
}
