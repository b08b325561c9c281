import { parse } from 'csv-parse/sync';
import { type CsvRecord, separatorOf } from '../../model/people/csv';
import { usage } from '../failure';
import { readTextFile } from './read-text-file';

/**
 * Reads the records of a CSV file, that of its titles first. The separator is the one that the titles have most.
 * @throws Failure without the text of the file, which may be another file than the operator meant
 */
export function readCsv(file: string): CsvRecord[] {
  const text = readTextFile(file);
  const delimiter = separatorOf(text);
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
    throw usage(`Line ${lines ?? '?'} of ${file} ${what}. Nothing was sent.`);
  }
}
