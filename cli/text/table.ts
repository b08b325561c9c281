import type { Output, Style } from '../output';
import { cut, pad, widthOf } from './text-width';

export type Cell = string | { readonly text: string; readonly style: Style };

interface Column {
  readonly title: string;
  /** Which columns are shortened first or last on a narrow terminal. Ids have neither: people copy them. */
  readonly cut?: 'first' | 'last';
}

export const GAP = '  ';
/** No column is shortened to fewer terminal columns than this. */
export const MIN_WIDTH = 8;

/** The lines of a table. It fits the width of the terminal unless that would cut an id or make a column too narrow. */
export function table(
  output: Pick<Output, 'width' | 'paint'>,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
): string[] {
  const widths = columnWidths(columns, rows, output.width);
  const line = (cells: readonly Cell[]) =>
    cells
      .map((cell, index) => {
        const { text, style } = typeof cell === 'string' ? { text: cell, style: null } : cell;
        const shown = cut(text, widths[index] ?? 0);
        const padded = index === cells.length - 1 ? shown : pad(shown, widths[index] ?? 0);
        return style === null ? padded : output.paint(style, padded);
      })
      .join(GAP)
      .trimEnd();
  const titles = columns.map(({ title }): Cell => ({ text: title, style: 'dim' }));
  return [line(titles), ...rows.map(line)];
}

function columnWidths(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
): number[] {
  const texts = (index: number) => [
    columns[index]?.title ?? '',
    ...rows.map((row) => textOf(row[index])),
  ];
  const widths = columns.map((_, index) => Math.max(...texts(index).map(widthOf)));
  let excess =
    widths.reduce((sum, columnWidth) => sum + columnWidth + GAP.length, -GAP.length) - width;
  for (const turn of ['first', 'last'] as const) {
    while (excess > 0) {
      const cuttable = widths.map((columnWidth, index) =>
        columns[index]?.cut === turn ? columnWidth : 0,
      );
      const widest = cuttable.indexOf(Math.max(...cuttable));
      if ((cuttable[widest] ?? 0) <= MIN_WIDTH) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
      excess--;
    }
  }
  return widths;
}

const textOf = (cell: Cell | undefined): string =>
  typeof cell === 'string' ? cell : (cell?.text ?? '');
