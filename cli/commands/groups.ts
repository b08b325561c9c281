import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { usage } from '../failure';
import { helpText } from '../help-text';
import type { FilteredSamples, GroupPolicy } from '../http/answers';
import { action, type Session } from '../session';
import { filterLines, groupLines } from '../text/group-text';

export const groupsCommand = (): Command =>
  new Command('groups')
    .summary('show the password rules of a group with examples, and try password filters')
    .addCommand(showCommand())
    .addCommand(tryFilterCommand());

const showCommand = (): Command =>
  new Command('show')
    .summary('show the rules of a group, who demands most, and examples')
    .description(
      'Shows each rule of the policy and of the sources of a group, which of them demands most, and an invented password that breaks it.',
    )
    .argument('<group>', 'name of the group')
    .addHelpText(
      'after',
      helpText({
        examples: [['lockstep groups show one-password', 'shows the rules of the group']],
        exits: {
          done: 'at least one password satisfies all rules',
          failed: 'no password satisfies all rules',
        },
      }),
    )
    .action(
      action(async ({ output, api }: Session, name: string): Promise<Exit> => {
        const group = await (await api()).get<GroupPolicy>(['groups', name, 'policy']);
        output.show(group, () => groupLines(output, group));
        return group.passes === null && group.fit.fits === null ? 'failed' : 'done';
      }),
    );

const tryFilterCommand = (): Command =>
  new Command('try-filter')
    .summary('show what the password filter of a source makes of samples')
    .description(
      'Shows what a source gets instead of each sample, by its password filter in the applied configuration. Use invented samples only, never the password of a person: they are visible on the screen and in the history of the shell.',
    )
    .argument('<group>', 'name of the group')
    .argument('<source>', 'name of the source')
    .argument('[sample...]', 'invented samples; default: samples of Lockstep')
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep groups try-filter one-password racf', 'tries the filter of the source racf'],
        ],
      }),
    )
    .action(action(tryFilter));

async function tryFilter(
  { output, api }: Session,
  name: string,
  source: string,
  samples: readonly string[],
): Promise<Exit> {
  const lockstep = await api();
  const { filters } = await lockstep.get<GroupPolicy>(['groups', name, 'policy']);
  const found = filters.find((one) => one.source === source);
  if (found === undefined)
    throw usage(`The source "${source}" of the group "${name}" has no password filter.`);
  const body = { filter: found.filter, source, ...(samples.length === 0 ? {} : { samples }) };
  const tried = await lockstep.send<FilteredSamples>('POST', ['password-filters', 'try'], { body });
  output.show(tried, () => filterLines(output, tried));
  return 'done';
}
