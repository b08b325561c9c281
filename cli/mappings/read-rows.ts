import { withoutControls } from '../controls';
import { usage } from '../failure';
import { passwordTitle, readCsv } from '../files/read-csv';
import type { FileRow } from './rows';

const columns = ['application', 'identity', 'account'] as const;
type Column = (typeof columns)[number];

/** Reads the rows of a CSV file with a line of titles. Columns of other titles are named in `ignored`, and never sent. */
export function readMappingRows(
  file: string,
  application: string | undefined,
): { readonly rows: FileRow[]; readonly ignored: string[] } {
  const [titles, ...records] = readCsv(file);
  if (titles === undefined) throw usage(`${file} is empty. Its first line has the titles.`);
  const places = placesOf(file, titles.cells, application);
  const rows = records.map(({ line, cells }): FileRow => {
    const cell = (column: Column) => cells[places.get(column) ?? -1] ?? '';
    const named = cell('application') || (application ?? '');
    if (named === '') throw usage(`Line ${line} of ${file} does not name an application.`);
    if (cell('identity') === '') throw usage(`Line ${line} of ${file} names no person.`);
    const account = cell('account');
    const wanted = { application: named, identity: cell('identity') };
    return { line, wanted: account === '' ? wanted : { ...wanted, account } };
  });
  const known: readonly string[] = columns;
  return { rows, ignored: titles.cells.filter((title) => !known.includes(titleOf(title))) };
}

const titleOf = (title: string): string => title.trim().toLowerCase();

function placesOf(
  file: string,
  titles: readonly string[],
  application: string | undefined,
): ReadonlyMap<Column, number> {
  const secret = titles.find((title) => passwordTitle.test(title));
  if (secret !== undefined)
    throw usage(
      `${file} has the column "${withoutControls(secret)}", which looks like a password. Lockstep reads no passwords from files of mappings, and sent nothing. Remove the column, and set credentials with "lockstep mappings set-credentials".`,
    );
  const places = new Map<Column, number>();
  for (const column of columns) {
    const found = titles.flatMap((title, index) => (titleOf(title) === column ? [index] : []));
    if (found.length > 1) throw usage(`${file} has the column "${column}" twice.`);
    if (found[0] !== undefined) places.set(column, found[0]);
  }
  if (!places.has('identity'))
    throw usage(
      `${file} has no column "identity". Its first line names the columns: application, identity, account.`,
    );
  if (!places.has('application') && application === undefined)
    throw usage(`${file} has no column "application". Add it, or give --application.`);
  return places;
}
