import { Command } from 'commander';
import type { ListRow } from '../../model/people/mapping-list';
import { MAX_MAPPING_ROWS } from '../../model/people/mapping-rows';
import { withoutControls } from '../controls';
import type { Exit } from '../exit-codes';
import { usage } from '../failure';
import { helpText } from '../help-text';
import type { MappingPlan } from '../http/answers';
import { type ImportOptions, importRows } from '../mappings/import-rows';
import { action, type Session } from '../session';

interface Options extends ImportOptions {
  readonly application?: string;
  readonly ownerSource?: string;
  readonly domain?: string;
}

export const importCommand = (): Command =>
  withImportOptions(
    new Command('import')
      .summary('create mappings from a CSV file, or from a file of ENTSSO')
      .description(
        'Creates mappings from a CSV file with the columns application, identity and account, or from an XML file of ' +
          '"ssomanage -createmappings". It shows first what would be created, what exists, what conflicts and what is ' +
          'unknown. Conflicts are never guessed, and no password is ever read. Run it again to continue after an interruption.',
      )
      .argument('<file>', 'CSV file, or XML file of ENTSSO')
      .option('--application <application>', 'application of every row without one')
      .option(
        '--owner-source <source>',
        'the people are named by their account in this source, such as their Windows account',
      )
      .option('--domain <domain>', 'of an XML file: only the mappings of this Windows domain'),
  )
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep mappings import mappings.csv --dry-run',
            'shows what would become of each row, and changes nothing',
          ],
          [
            'lockstep mappings import mappings.xml --owner-source corp-directory --link',
            'finds the people by their Windows accounts, and links accounts that no one has',
          ],
        ],
        exits: { partial: 'some rows conflict or are unknown; the others are done' },
      }),
    )
    .action(action(importFile));

/** The options of every command that imports rows. */
export const withImportOptions = (command: Command): Command =>
  command
    .option('--link', 'link accounts that are linked to no one to the person of their row')
    .option('--enable', 'enable the new mappings at once; without it they are created disabled')
    .option('--dry-run', 'show what would become of each row, and change nothing')
    .option('--yes', 'create without asking for confirmation');

async function importFile(
  { output, api }: Session,
  file: string,
  { application, ownerSource, domain, ...options }: Options,
): Promise<Exit> {
  const { rows, notes } = readRows(file, application, domain);
  if (rows.length === 0) throw usage(`${file} has no mapping.`);
  if (rows.length > MAX_MAPPING_ROWS)
    throw usage(
      `${file} has ${rows.length} mappings, and at most ${MAX_MAPPING_ROWS} are read. Split it.`,
    );
  for (const note of notes) output.note(note);
  const wanted = rows.map(({ wanted: { identity = '', ...row } }) =>
    ownerSource === undefined
      ? { ...row, identity }
      : { ...row, owner: { source: ownerSource, account: identity } },
  );
  const lockstep = await api();
  const plan = await lockstep.send<MappingPlan>('POST', ['mappings', 'plan'], {
    body: { rows: wanted, link: options.link },
  });
  const shown = plan.rows.map(({ row, ...rest }) => ({ line: rows[row]?.line ?? null, ...rest }));
  return importRows(output, lockstep, { shown, wanted }, options, { notes });
}

interface Read {
  readonly rows: readonly ListRow[];
  /** What the file has that is not imported. */
  readonly notes: readonly string[];
}

/** The parsers are loaded on demand, because most commands read no file. */
function readRows(file: string, application: string | undefined, domain: string | undefined): Read {
  if (/\.xml$/i.test(file)) {
    if (application !== undefined)
      throw usage('A file of ENTSSO names the application of each mapping. Omit --application.');
    const { readMappingsXml } =
      require('../entsso/mappings-xml') as typeof import('../entsso/mappings-xml');
    return readMappingsXml(file, domain);
  }
  if (domain !== undefined)
    throw usage('Only a file of ENTSSO has Windows domains. Omit --domain.');
  const { readMappingRows } =
    require('../mappings/read-rows') as typeof import('../mappings/read-rows');
  const { rows, ignored } = readMappingRows(file, application);
  const notes = ignored.map(
    (title) => `The column "${withoutControls(title)}" is ignored, and is not sent.`,
  );
  return { rows, notes };
}
