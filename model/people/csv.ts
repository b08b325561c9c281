/** A record of a list with columns, that of its titles first. */
export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/** What is wrong with a list, as a text that continues its name, or that of the line; null for the whole list. */
export interface CsvFlaw {
  readonly line: number | null;
  readonly says: string;
}

/** Titles of columns that may hold passwords. Such a list is refused, so that no password lies in one for longer. */
export const passwordTitle =
  /pass(?!port)|pwd|kennw|secret|credential|geheim|contrase|senha|parola|mot.?de.?passe|^pin$/i;

const separators = [',', ';', '\t'];

/** The separator that the titles have most. */
export function separatorOf(text: string): string {
  const [titles = ''] = text.split(/\r?\n/, 1);
  const counts = separators.map((separator) => titles.split(separator).length);
  return separators[counts.indexOf(Math.max(...counts))] ?? ',';
}

/**
 * Reads a list in which no value is quoted. It is for a process that sees passwords, which loads no parser of others; the
 * command line reads every CSV file.
 */
export function plainRecords(text: string): readonly CsvRecord[] | CsvFlaw {
  const separator = separatorOf(text);
  const records = text
    .split(/\r?\n/)
    .map((line, index) => ({
      line: index + 1,
      cells: line.split(separator).map((cell) => cell.trim()),
    }))
    .filter(({ cells }) => cells.some((cell) => cell !== ''));
  const quoted = records.find(({ cells }) => cells.some((cell) => cell.includes('"')));
  if (quoted !== undefined)
    return {
      line: quoted.line,
      says: 'has a quotation mark. Separate the columns by semicolons or tabs, or use the command.',
    };
  const width = records[0]?.cells.length;
  const uneven = records.find(({ cells }) => cells.length !== width);
  if (uneven === undefined) return records;
  return { line: uneven.line, says: 'has another number of columns than the first line.' };
}
