import { Command } from 'commander';
import { dryRunOption } from '../configuration/edit';
import { confirm } from '../confirm';
import { withoutControls } from '../controls';
import type { Exit } from '../exit-codes';
import { usage } from '../failure';
import { helpText } from '../help-text';
import type { ImportedPeople, ImportedPerson } from '../http/answers';
import type { Api } from '../http/api';
import { knownSources } from '../http/known-sources';
import { readCsvPeople, readLdifPeople } from '../people/read-file';
import { type FileConflict, type FilePerson, peopleOf } from '../people/rows';
import { action, type Session } from '../session';

interface Options {
  readonly source?: string;
  readonly name: string;
  readonly attribute: readonly string[];
  readonly dryRun?: true;
  readonly yes?: true;
}

export const importCommand = (): Command =>
  new Command('import')
    .description(
      'Adds and updates people, their attributes and their accounts from a CSV or LDIF file. Shows what would change, then asks. ' +
        'Other attributes and accounts of the people stay. A conflict is reported, never guessed, and stops no other person. ' +
        'An import that was interrupted is continued by the same command.',
    )
    .argument(
      '<file>',
      'file.csv with the columns name, account:<source> and attributes; or file.ldif',
    )
    .option('--source <source>', 'LDIF: the source whose accounts the entries are')
    .option('--name <attribute>', 'LDIF: the attribute that names the person', 'uid')
    .option(
      '--attribute <name[=from]>',
      'LDIF: attribute of the person, and the attribute of the entry that it comes from; may be given several times',
      (value: string, before: readonly string[]) => [...before, value],
      [],
    )
    .addOption(dryRunOption())
    .option('--yes', 'import without asking for confirmation')
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep identities import people.csv --dry-run', 'shows what the file would change'],
          [
            'lockstep identities import people.ldif --source corp-directory --attribute mail --yes',
            'adds the people of a directory, named by uid, with their mail address and account',
          ],
        ],
      }),
    )
    .action(action(importFile));

async function importFile({ output, api }: Session, file: string, options: Options): Promise<Exit> {
  const { people, conflicts } = peopleOf(rowsOf(file, options));
  const lockstep = await api();
  const sources = people.flatMap(({ accounts }) => accounts.map(({ source }) => source));
  await knownSources(lockstep, [...new Set(sources)]);
  const send = (preview: boolean) =>
    sendAll(lockstep, people, preview, (done) =>
      output.note(
        `${file}: ${done} of ${people.length} people ${preview ? 'checked' : 'imported'}`,
      ),
    );
  const planned = await send(true);
  const wanted = people.filter((_, index) => isChange(planned[index]));
  if (options.dryRun || wanted.length === 0)
    return show(output, planned, conflicts, people, options.dryRun === true);
  if (!options.yes) {
    for (const line of lines(planned, conflicts, people, true)) output.line(line);
    await confirm(`Import ${wanted.length} people?`);
  }
  return show(output, await send(false), conflicts, people, false);
}

function rowsOf(file: string, { source, name, attribute }: Options) {
  if (/\.csv$/i.test(file)) return readCsvPeople(file);
  if (!/\.ldif$/i.test(file)) throw usage(`The name of ${file} must end with .csv or .ldif.`);
  if (source === undefined)
    throw usage('Give --source: the source whose accounts the entries are.');
  const attributes = attribute.map((text) => {
    const [to = '', from = to] = text.split('=');
    return [to, from] as const;
  });
  return readLdifPeople(file, { source, name, attributes });
}

/** People in one request. */
const AT_ONCE = 100;

async function sendAll(
  api: Api,
  people: readonly FilePerson[],
  preview: boolean,
  report: (done: number) => void,
): Promise<ImportedPerson[]> {
  const results: ImportedPerson[] = [];
  for (let at = 0; at < people.length; at += AT_ONCE) {
    const batch = people.slice(at, at + AT_ONCE).map(({ lines: _, ...person }) => person);
    const answer = await api.send<ImportedPeople>('POST', ['identities', 'import'], {
      body: { preview, people: batch },
    });
    results.push(...answer.people);
    if (people.length > AT_ONCE) report(results.length);
  }
  return results;
}

const isChange = (result: ImportedPerson | undefined): boolean =>
  result?.result === 'added' || result?.result === 'updated';

function show(
  output: Session['output'],
  results: readonly ImportedPerson[],
  conflicts: readonly FileConflict[],
  people: readonly FilePerson[],
  preview: boolean,
): Exit {
  output.show({ preview, people: results, conflicts }, () =>
    lines(results, conflicts, people, preview),
  );
  const failed = conflicts.length > 0 || results.some(({ result }) => result === 'conflict');
  return failed ? 'failed' : 'done';
}

/** A line for each conflict, then the numbers of people by what became of them. */
function lines(
  results: readonly ImportedPerson[],
  conflicts: readonly FileConflict[],
  people: readonly FilePerson[],
  preview: boolean,
): string[] {
  const count = (wanted: ImportedPerson['result']) =>
    results.filter(({ result }) => result === wanted).length;
  return [
    // The API escapes the names that it returns; these come from the file as they are.
    ...conflicts.map(({ name, lines: at, says }) =>
      withoutControls(`Line ${at.join(', ')}: ${name} ${says}.`),
    ),
    ...results.flatMap(({ name, conflicts: why }, index) =>
      why.map((says) => `Line ${people[index]?.lines.join(', ')}: ${name}: ${says}.`),
    ),
    `${preview ? 'Preview' : 'Imported'}: ${count('added')} ${preview ? 'to add' : 'added'}, ${count('updated')} ${preview ? 'to update' : 'updated'}, ${count('unchanged')} unchanged, ${conflicts.length + count('conflict')} in conflict and left as they were.`,
  ];
}
