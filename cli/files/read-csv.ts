import { type CsvRecord, parseCsv } from '../../model/people/csv';
import { usage } from '../failure';
import { readTextFile } from './read-text-file';

/**
 * Reads the records of a CSV file, that of its titles first.
 * @throws Failure without the text of the file, which may be another file than the operator meant
 */
export function readCsv(file: string): readonly CsvRecord[] {
  const read = parseCsv(readTextFile(file));
  if ('says' in read)
    throw usage(`Line ${read.line ?? '?'} of ${file} ${read.says} Nothing was sent.`);
  return read;
}
