import { Command } from 'commander';
import { fitLines, hashPathLines, planFile, planLines } from '../configuration/preview';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { action, type Session } from '../session';

export const planCommand = (): Command =>
  new Command('plan')
    .summary('show what apply would change')
    .description(
      'Checks the configuration, shows how it differs from the one in force, and whether the policy of each group suits its sources. It changes nothing.',
    )
    .option('-f, --file <file>', 'the configuration', 'lockstep.yaml')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep plan',
            'checks lockstep.yaml and shows what is new (+), other (~) or gone (-)',
          ],
        ],
        exits: {
          done: 'valid, whether there are differences or not',
          usage: 'not valid; each mistake with its line and column',
        },
      }),
    )
    .action(action(plan));

async function plan({ output, api }: Session, { file }: { readonly file: string }): Promise<Exit> {
  const planned = await planFile(await api(), file);
  output.show(planned.plan, () => [
    ...planLines(output, planned.plan),
    ...hashPathLines(output, planned.plan),
    ...fitLines(output, planned.plan),
    ...(planned.plan.differences.length === 0 ? [] : [`Next: lockstep apply -f ${file}`]),
  ]);
  return 'done';
}
