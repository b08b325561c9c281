import type { ShownRow } from '../mappings/rows';
import type { Output, Style } from '../output';
import { table } from './table';

/** The most rows of one status that the text shows; `-o json` has all. */
const SHOWN = 20;

const titles = {
  create: ['to create', 'green'],
  created: ['created', 'green'],
  exists: ['there already', 'dim'],
  conflict: ['in conflict', 'red'],
  unknown: ['unknown', 'yellow'],
} as const satisfies Record<ShownRow['status'], readonly [string, Style]>;

type Counts = Record<ShownRow['status'], number>;

export function countsOf(rows: readonly ShownRow[]): Counts {
  const counts: Counts = { create: 0, created: 0, exists: 0, conflict: 0, unknown: 0 };
  for (const { status } of rows) counts[status]++;
  return counts;
}

const countsLine = (counts: Counts): string => {
  const shown = (Object.keys(titles) as ShownRow['status'][])
    .filter((status) => counts[status] > 0)
    .map((status) => `${counts[status]} ${titles[status][0]}`);
  return shown.length === 0 ? 'No mapping would be created.' : `${shown.join(', ')}.`;
};

/** What would become of the rows: those that are not created first, because they need the administrator. */
export function planLines(output: Output, rows: readonly ShownRow[]): string[] {
  const counts = countsOf(rows);
  const blocks = (['conflict', 'unknown', 'create'] as const).flatMap((status) =>
    block(output, status, rows),
  );
  return [...blocks, countsLine(counts)];
}

/** What became of the rows, after `planLines` has shown what would. Only what turned out differently is repeated. */
export function resultLines(
  output: Output,
  planned: readonly ShownRow[],
  ended: readonly ShownRow[],
): string[] {
  const news = ended.filter(
    ({ status }, index) => planned[index]?.status === 'create' && status !== 'created',
  );
  return [
    ...(['conflict', 'unknown'] as const).flatMap((status) => block(output, status, news)),
    countsLine(countsOf(ended)),
  ];
}

function block(output: Output, status: ShownRow['status'], all: readonly ShownRow[]): string[] {
  const rows = all.filter((row) => row.status === status);
  if (rows.length === 0) return [];
  const [title, style] = titles[status];
  const withLines = rows.some(({ line }) => line !== null);
  const shown = table(
    output,
    [
      ...(withLines ? [{ title: 'LINE' }] : []),
      { title: 'PERSON', cut: 'first' },
      { title: 'APPLICATION' },
      { title: 'ACCOUNT', cut: 'first' },
      { title: '' },
    ],
    rows
      .slice(0, SHOWN)
      .map((row) => [
        ...(withLines ? [String(row.line ?? '')] : []),
        row.identity,
        row.application,
        row.account ?? '',
        noteOf(row),
      ]),
  );
  const left = rows.length - SHOWN;
  return [
    output.paint(style, `${rows.length} ${title}`),
    ...shown,
    ...(left > 0 ? [`… and ${left} more; "-o json" shows all.`] : []),
    '',
  ];
}

const noteOf = ({ says, links }: ShownRow): string =>
  says ?? (links ? 'the account is linked as well' : '');
