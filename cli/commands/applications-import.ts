import { Command, InvalidArgumentError } from 'commander';
import {
  applyEdited,
  dryRunOption,
  type EditOptions,
  readConfiguration,
  yesOption,
} from '../configuration/edit';
import { becomesLines } from '../entsso/translation';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { action, type Session } from '../session';

interface Options extends EditOptions {
  readonly source: readonly SourceOf[];
}

/** The source of one application, or of every application without a source of its own. */
interface SourceOf {
  readonly application: string | null;
  readonly source: string;
}

export const importCommand = (): Command =>
  new Command('import')
    .summary('create applications from a file of ENTSSO')
    .description(
      'Creates applications from an XML file of "ssomanage -createapps". It shows first what becomes of each part of the ' +
        'file, and what has no counterpart. Applications that exist stay as they are.',
    )
    .argument('<file>', 'XML file of ENTSSO')
    .option(
      '--source <[application=]source>',
      'source whose accounts sign in to the application; without a name, to every application. Can be repeated',
      sourceOf,
      [],
    )
    .addOption(dryRunOption())
    .addOption(yesOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep applications import applications.xml --source mainframe --dry-run',
            'shows what the applications of the file become',
          ],
        ],
      }),
    )
    .action(action(importApplications));

function sourceOf(text: string, before: readonly SourceOf[]): SourceOf[] {
  const [, application = null, source] = /^(?:([^=]+)=)?([^=]+)$/.exec(text) ?? [];
  if (source === undefined)
    throw new InvalidArgumentError(
      'Give a source, or an application, an equals sign and a source.',
    );
  return [...before, { application, source }];
}

async function importApplications(
  { output, api }: Session,
  file: string,
  { source: sources, ...options }: Options,
): Promise<Exit> {
  // The parser is loaded on demand, because most commands read no file.
  const { readApplicationsXml } =
    require('../entsso/applications-xml') as typeof import('../entsso/applications-xml');
  const lockstep = await api();
  const configuration = await readConfiguration(lockstep);
  const { applications, peopleGroups, becomes } = readApplicationsXml(
    file,
    configuration,
    (name, original) =>
      (
        sources.find(({ application }) => application === name || application === original) ??
        sources.find(({ application }) => application === null)
      )?.source,
  );
  for (const line of becomesLines(output, becomes)) output.line(line);
  const document = {
    ...configuration,
    applications: { ...configuration.applications, ...applications },
    peopleGroups: { ...configuration.peopleGroups, ...peopleGroups },
  };
  return applyEdited(output, lockstep, document, options, { becomes });
}
