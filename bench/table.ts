import { table as markdownTable } from '../scripts/markdown';

/** A table of results, which is printed as text and published as Markdown. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** The first column that holds text, which is aligned to the left. The columns before it hold numbers. */
  readonly textFrom: number;
}

export const asText = (tables: readonly Table[]): string =>
  tables
    .map(({ title, head, rows, textFrom }) =>
      [title, ...columns([head, ...rows], textFrom), ''].join('\n'),
    )
    .join('\n');

export const asMarkdown = (tables: readonly Table[]): string =>
  tables.map(({ title, head, rows }) => `${title}:\n\n${markdownTable(head, rows)}\n`).join('\n');

function columns(rows: readonly (readonly string[])[], textFrom: number): string[] {
  const widths = (rows[0] ?? []).map((_, index) =>
    Math.max(...rows.map((row) => row[index]?.length ?? 0)),
  );
  const aligned = (cell: string, index: number) =>
    index >= textFrom ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0);
  return rows.map((row) => `  ${row.map(aligned).join('  ')}`.trimEnd());
}
