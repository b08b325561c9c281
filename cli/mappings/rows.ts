import type { MappingRow } from '../http/answers';

/** What becomes, or became, of a row. The line is null for a row that no file has. */
export interface ShownRow extends Omit<MappingRow, 'row'> {
  readonly line: number | null;
}
