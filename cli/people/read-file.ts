import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { withoutControls } from '../controls';
import { usage } from '../failure';
import { readLdif } from './ldif';
import type { PersonRow } from './rows';

/** What an LDIF file means, which it does not say itself. */
export interface LdifMeaning {
  /** The source whose accounts the entries are. */
  readonly source: string;
  /** The attribute that names the person. */
  readonly name: string;
  /** Attribute of the person, and the attribute of the entry that it comes from. */
  readonly attributes: readonly (readonly [to: string, from: string])[];
}

/** Titles of columns that may hold passwords. */
const passwordTitle =
  /pass(?!port)|pwd|kennw|secret|credential|geheim|contrase|senha|parola|mot.?de.?passe|^pin$/i;

/** Attributes of directories that hold passwords or what is made of them. */
const passwordAttribute =
  /^(userpassword|unicodepwd|dbcspwd|(nt|lm)pwdhistory|supplementalcredentials|samba(nt|lm)password|authpassword|krbprincipalkey|pwdhistory|.*password)(;|$)/;

const ACCOUNT = /^account:\s*(.+)$/i;

/** Reads the people of a CSV file. Its first line has the titles `name`, `account:<source>` and names of attributes. */
export function readCsvPeople(file: string): PersonRow[] {
  const [titles, ...records] = csvRecords(file);
  if (titles === undefined) throw usage(`${file} is empty. Its first line has the titles.`);
  const columns = titles.cells;
  const secret = columns.find((title) => passwordTitle.test(title));
  if (secret !== undefined) throw hasPasswords(file, `the column "${withoutControls(secret)}"`);
  const nameAt = columns.findIndex((title) => title.toLowerCase() === 'name');
  if (nameAt === -1) throw usage(`${file} has no column "name".`);
  const twice = columns.find((title, index) => columns.indexOf(title) !== index);
  if (twice !== undefined || columns.includes(''))
    throw usage(`${file} has a column without a title, or two columns of one title.`);
  return records.map(({ line, cells }) => {
    const name = cells[nameAt] ?? '';
    if (name === '') throw usage(`Line ${line} of ${file} names no person.`);
    const filled = columns.flatMap((title, index) => {
      const value = cells[index] ?? '';
      return index === nameAt || value === '' ? [] : [[title, value] as const];
    });
    return {
      ...{ line, name },
      attributes: Object.fromEntries(filled.filter(([title]) => !ACCOUNT.test(title))),
      accounts: filled.flatMap(([title, value]) => {
        const source = ACCOUNT.exec(title)?.[1];
        return source === undefined ? [] : [{ source, name: value }];
      }),
    };
  });
}

/** Reads the people of an LDIF file. Each entry is the account of one person. */
export function readLdifPeople(file: string, meaning: LdifMeaning): PersonRow[] {
  return readLdif(readText(file)).flatMap(({ line, dn, attributes }) => {
    const secret = [...attributes.keys()].find((attribute) => passwordAttribute.test(attribute));
    if (secret !== undefined) throw hasPasswords(file, `the attribute ${secret} in line ${line}`);
    const valueIn = (attribute: string) => attributes.get(attribute.toLowerCase())?.[0] ?? '';
    const name = valueIn(meaning.name);
    // Entries without a name are no people, such as the folders of an export.
    if (name === '') return [];
    const given = meaning.attributes
      .map(([to, from]) => [to, valueIn(from)] as const)
      .filter(([, value]) => value !== '');
    return [
      {
        ...{ line, name, attributes: Object.fromEntries(given) },
        accounts: [{ source: meaning.source, name: dn }],
      },
    ];
  });
}

const hasPasswords = (file: string, where: string) =>
  usage(
    `${file} has ${where}, which looks like a password. Lockstep imports no passwords, and nothing was sent. Export the file again without it, and delete this one.`,
  );

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw usage(`The file ${file} cannot be read.`);
  }
}

interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/** @throws Failure without the text of the file, which may be another file than the operator meant */
function csvRecords(file: string): CsvRecord[] {
  const text = readText(file);
  const [first = ''] = text.split(/\r?\n/, 1);
  const delimiter = [';', '\t'].find((one) => first.split(one).length > first.split(',').length);
  try {
    // The types of the parser do not know that `info` adds a place to each record.
    const parsed: unknown = parse(text, {
      ...{ delimiter: delimiter ?? ',', info: true, bom: true, trim: true, skip_empty_lines: true },
    });
    return (parsed as { info: { lines: number }; record: string[] }[]).map((one) => ({
      line: one.info.lines,
      cells: one.record,
    }));
  } catch (error) {
    const { code, lines } = error as { code?: string; lines?: number };
    throw usage(
      code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH'
        ? `Line ${lines} of ${file} has another number of columns than the first line.`
        : `Line ${lines ?? '?'} of ${file} is not valid CSV.`,
    );
  }
}
