import { type CsvFlaw, type CsvRecord, passwordTitle } from './csv';
import type { WantedRow } from './mapping-plan';

const columns = ['application', 'identity', 'account'] as const;
type Column = (typeof columns)[number];

/** A row of a list, with the line in which it is. */
export interface ListRow {
  readonly line: number;
  readonly wanted: WantedRow;
}

export interface MappingList {
  readonly rows: readonly ListRow[];
  /** The titles of columns that are not read. */
  readonly ignored: readonly string[];
}

/**
 * Reads the rows of a list of mappings, whose first record has the titles.
 * @param application the application of each row that names none
 */
export function readMappingList(
  records: readonly CsvRecord[],
  application?: string,
): MappingList | CsvFlaw {
  const [titles, ...rest] = records;
  if (titles === undefined) return flaw('is empty. Its first line has the titles.');
  const places = placesOf(titles.cells, application);
  if ('says' in places) return places;
  const rows: ListRow[] = [];
  for (const { line, cells } of rest) {
    const cell = (column: Column) => cells[places.get(column) ?? -1] ?? '';
    const named = cell('application') || (application ?? '');
    if (named === '') return { line, says: 'does not name an application.' };
    if (cell('identity') === '') return { line, says: 'names no person.' };
    const account = cell('account');
    const wanted = { application: named, identity: cell('identity') };
    rows.push({ line, wanted: account === '' ? wanted : { ...wanted, account } });
  }
  const known: readonly string[] = columns;
  return { rows, ignored: titles.cells.filter((title) => !known.includes(titleOf(title))) };
}

const flaw = (says: string): CsvFlaw => ({ line: null, says });

const titleOf = (title: string): string => title.trim().toLowerCase();

function placesOf(
  titles: readonly string[],
  application: string | undefined,
): ReadonlyMap<Column, number> | CsvFlaw {
  const secret = titles.find((title) => passwordTitle.test(title));
  if (secret !== undefined)
    return flaw(
      `has the column "${secret}", which looks like a password. Lockstep reads no passwords from lists of mappings. Remove the column, and set credentials with "lockstep mappings set-credentials".`,
    );
  const places = new Map<Column, number>();
  for (const column of columns) {
    const found = titles.flatMap((title, index) => (titleOf(title) === column ? [index] : []));
    if (found.length > 1) return flaw(`has the column "${column}" twice.`);
    if (found[0] !== undefined) places.set(column, found[0]);
  }
  if (!places.has('identity'))
    return flaw(
      'has no column "identity". Its first line names the columns: application, identity, account.',
    );
  if (!places.has('application') && application === undefined)
    return flaw('has no column "application". Add it; the command line also has --application.');
  return places;
}
