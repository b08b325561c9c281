import { passwordTitle } from '../../model/people/csv';
import { withoutControls } from '../controls';
import { usage } from '../failure';
import { readCsv } from '../files/read-csv';
import { readTextFile } from '../files/read-text-file';
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

/** Attributes of directories that hold passwords or what is made of them. */
const passwordAttribute =
  /^(userpassword|unicodepwd|dbcspwd|(nt|lm)pwdhistory|supplementalcredentials|samba(nt|lm)password|authpassword|krbprincipalkey|pwdhistory|.*password)(;|$)/;

const ACCOUNT = /^account:\s*(.+)$/i;

/** Reads the people of a CSV file. Its first line has the titles `name`, `account:<source>` and names of attributes. */
export function readCsvPeople(file: string): PersonRow[] {
  const [titles, ...records] = readCsv(file);
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

/** An export of a large directory has many attributes that are not read. */
const LDIF_BYTES = 128 * 1024 * 1024;

/** Reads the people of an LDIF file. Each entry is the account of one person. */
export function readLdifPeople(file: string, meaning: LdifMeaning): PersonRow[] {
  return readLdif(readTextFile(file, LDIF_BYTES)).flatMap(({ line, dn, attributes }) => {
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
