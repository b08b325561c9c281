import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { asMarkdown, type Table } from './table';

/** The parts of docs/performance.md that the bench writes. */
export type Part = 'embedded' | 'postgresql' | 'captures';

const PAGE = 'docs/performance.md';

/** Replaces the tables of one part of docs/performance.md. The text of the page is written by hand and stays. */
export function publish(part: Part, tables: readonly Table[], run: string): void {
  const page = readFileSync(PAGE, 'utf8');
  writeFileSync(PAGE, withTables(page, part, `${run}\n\n${asMarkdown(tables)}`));
}

/** @throws Error if the page has no place for this part */
export function withTables(page: string, part: Part, tables: string): string {
  const [begin, end] = [`<!-- tables: ${part} -->`, `<!-- end: ${part} -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${PAGE} has no lines "${begin}" and "${end}"`);
  return `${page.slice(0, from + begin.length)}\n${tables.trim()}\n${page.slice(to)}`;
}

/** Where and how a run was made, as a line of the page. */
export function describeRun(quick: boolean, loadBefore: number): string {
  const cpus = os.cpus();
  const commit = execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' });
  return [
    `Run of ${new Date().toISOString().slice(0, 10)} at ${commit.trim()}`,
    `${cpus.length} cores (${cpus[0]?.model ?? 'unknown'})`,
    `load ${loadBefore.toFixed(1)} before the run`,
    `Node ${process.versions.node}${quick ? ', `--quick`: not a measurement' : ''}.`,
  ].join(', ');
}
