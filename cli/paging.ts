import { Option } from 'commander';
import { quoted } from '../model/quoted';
import type { Output } from './output';
import { count } from './values';

/** The options of a command that lists rows in pages. */
export interface Paging {
  readonly limit: number;
  readonly cursor?: string;
  readonly all?: true;
}

/** The options of `Paging`, one for each. @param rows the number of rows in a page by default */
export const limitOption = (rows: number): Option =>
  new Option('--limit <n>', 'maximum number of rows').argParser(count).default(rows);
export const cursorOption = (): Option =>
  new Option('--cursor <cursor>', 'continue from this cursor, which the previous page printed');
export const allOption = (): Option => new Option('--all', 'show all rows instead of one page');

/**
 * Shows how to get the next page, unless the output is JSON, which contains the cursor.
 * @param rows what the rows are, such as "changes"
 * @param next null after the last page
 */
export function noteNextPage(output: Output, rows: string, next: string | null): void {
  if (next !== null && !output.json)
    output.note(
      `There are more ${rows}. Next: repeat the command with --cursor ${quoted(next)}, or with --all.`,
    );
}
