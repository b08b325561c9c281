import type { WantedRow } from '../../model/people/mapping-plan';
import type { MappingRow } from '../http/answers';

/** A row of a file, with the line in which it is. */
export interface FileRow {
  readonly line: number;
  readonly wanted: WantedRow;
}

/** What becomes, or became, of a row. The line is null for a row that no file has. */
export interface ShownRow extends Omit<MappingRow, 'row'> {
  readonly line: number | null;
}
