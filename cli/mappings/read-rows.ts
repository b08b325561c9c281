import { type MappingList, readMappingList } from '../../model/people/mapping-list';
import { withoutControls } from '../controls';
import { usage } from '../failure';
import { readCsv } from '../files/read-csv';

/** Reads the rows of a CSV file with a line of titles. Columns of other titles are named in `ignored`, and never sent. */
export function readMappingRows(file: string, application: string | undefined): MappingList {
  const read = readMappingList(readCsv(file), application);
  if ('rows' in read) return read;
  const where = read.line === null ? file : `Line ${read.line} of ${file}`;
  throw usage(`${where} ${withoutControls(read.says)} Nothing was sent.`);
}
