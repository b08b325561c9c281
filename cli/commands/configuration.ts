import { Command } from 'commander';
import { applyPlanned } from '../configuration/apply-planned';
import { readConfiguration, yesOption } from '../configuration/edit';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type {
  ConfigurationDifferences,
  ConfigurationVersion,
  ConfigurationVersions,
  Plan,
} from '../http/answers';
import type { Api } from '../http/api';
import { readPages } from '../http/pages';
import { allOption, cursorOption, limitOption, noteNextPage, type Paging } from '../paging';
import { action, type Session } from '../session';
import { differenceLines } from '../text/configuration-text';
import { table } from '../text/table';
import { relative } from '../text/times';
import { position } from '../values';

export const configurationCommand = (): Command =>
  new Command('configuration')
    .summary('list, show and compare applied configurations, and return to one')
    .description(
      'Lists the configurations that were applied, shows and compares them, and returns to an earlier one. To change the ' +
        'configuration, edit the file and use "lockstep plan" and "lockstep apply".',
    )
    .addCommand(versionsCommand())
    .addCommand(showCommand())
    .addCommand(diffCommand())
    .addCommand(rollbackCommand());

const versionsCommand = (): Command =>
  new Command('versions')
    .description('Lists the configurations that were applied, newest first.')
    .addOption(limitOption(20))
    .addOption(cursorOption())
    .addOption(allOption())
    .addHelpText(
      'after',
      helpText({
        examples: [['lockstep configuration versions', 'shows who applied which version when']],
      }),
    )
    .action(action(versions));

type Listed = ConfigurationVersions['versions'][number];

async function versions({ output, api }: Session, { all, ...query }: Paging): Promise<Exit> {
  const lockstep = await api();
  const path = ['configuration', 'versions'] as const;
  const { items, next } = await readPages<'versions', Listed>(lockstep, path, { query, all });
  const now = Date.now();
  output.show({ versions: items, next }, () =>
    items.length === 0
      ? ['No configuration was applied yet.']
      : table(
          output,
          [{ title: 'VERSION' }, { title: 'APPLIED' }, { title: 'BY', cut: 'first' }],
          items.map(({ version, appliedAt, appliedBy }) => [
            String(version),
            relative(appliedAt, now),
            appliedBy.says,
          ]),
        ),
  );
  noteNextPage(output, 'versions', next);
  return 'done';
}

const showCommand = (): Command =>
  new Command('show')
    .description(
      'Prints the configuration in force, or an earlier one, as YAML with every default.',
    )
    .argument('[version]', 'version of the configuration (default: the one in force)', position)
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep configuration show > lockstep.yaml', 'saves the configuration in force'],
          ['lockstep configuration show 3 > lockstep-3.yaml', 'saves version 3 as a file'],
        ],
      }),
    )
    .action(action(show));

async function show({ output, api }: Session, version: number | undefined): Promise<Exit> {
  const lockstep = await api();
  const configuration =
    version === undefined
      ? await readConfiguration(lockstep)
      : (await readVersion(lockstep, version)).configuration;
  output.show(configuration, () => [yaml().stringify(configuration).trimEnd()]);
  return 'done';
}

/** Loaded on demand, as in the other commands that read or print YAML. */
const yaml = () => require('yaml') as typeof import('yaml');

const readVersion = (api: Api, version: number): Promise<ConfigurationVersion> =>
  api.get(['configuration', 'versions', String(version)], { missing: noVersion(version) });

const noVersion = (version: number): string =>
  `There is no configuration ${version}. "lockstep configuration versions" lists them.`;

const diffCommand = (): Command =>
  new Command('diff')
    .description('Shows what one version changed, or what differs between two versions.')
    .argument('<version>', 'version of the configuration', position)
    .argument('[other]', 'a later version to compare it with', position)
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep configuration diff 3', 'shows what version 3 changed'],
          ['lockstep configuration diff 1 3', 'shows what differs from version 1 in version 3'],
        ],
      }),
    )
    .action(action(diff));

async function diff(
  { output, api }: Session,
  version: number,
  other: number | undefined,
): Promise<Exit> {
  const to = other ?? version;
  const lockstep = await api();
  const path = ['configuration', 'versions', String(to), 'differences'];
  const found = await lockstep.get<ConfigurationDifferences>(path, {
    query: { from: other === undefined ? undefined : version },
    missing: noVersion(to),
  });
  output.show(found, () => differenceLines(output, found));
  return 'done';
}

const rollbackCommand = (): Command =>
  new Command('rollback')
    .description(
      'Applies an earlier configuration again, as a new version. It shows what would change and asks for confirmation. ' +
        'Passwords, people and links stay as they are.',
    )
    .argument('<version>', 'version to return to', position)
    .addOption(yesOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep configuration rollback 3',
            'shows what would change, and applies version 3 again',
          ],
        ],
      }),
    )
    .action(action(rollback));

async function rollback(
  { output, api }: Session,
  version: number,
  { yes }: { readonly yes?: true },
): Promise<Exit> {
  const lockstep = await api();
  const { configuration: document } = await readVersion(lockstep, version);
  const path = ['configuration', 'plan'];
  const plan = await lockstep.send<Plan>('POST', path, { body: { document } });
  return applyPlanned(output, lockstep, { document, plan }, yes === true);
}
