import { parse } from 'csv-parse/sync';

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

/**
 * Reads the records of a CSV text, that of its titles first. The separator is the one that the titles have most. A flaw
 * contains nothing of the text.
 */
export function parseCsv(text: string): readonly CsvRecord[] | CsvFlaw {
  const [titles = ''] = text.split(/\r?\n/, 1);
  const counts = separators.map((separator) => titles.split(separator).length);
  const delimiter = separators[counts.indexOf(Math.max(...counts))] ?? ',';
  try {
    // The types of the parser do not know that `info` adds a place to each record.
    const parsed: unknown = parse(text, {
      ...{ delimiter, info: true, trim: true, skip_empty_lines: true },
    });
    const records = parsed as { info: { lines: number }; record: string[] }[];
    return records.map(({ info, record }) => ({ line: info.lines, cells: record }));
  } catch (error) {
    const { code, lines } = error as { code?: string; lines?: number };
    const what =
      code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH'
        ? 'has another number of columns than the first line'
        : 'is not valid CSV: a quotation mark is missing or misplaced';
    return { line: lines ?? null, says: `${what}.` };
  }
}
