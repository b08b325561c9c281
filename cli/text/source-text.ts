import type { Source, Waiting } from '../http/answers';
import type { Output, Style } from '../output';
import { indented } from './change-text';
import { type Cell, table } from './table';
import { relative, span } from './times';

/** The text of `lockstep sources`: a row for each source, then why a source is not up and what to do. */

const marks: Readonly<Record<Source['state'], readonly [string, Style]>> = {
  up: ['✔', 'green'],
  down: ['✖', 'red'],
  paused: ['!', 'yellow'],
};

const columns = [
  { title: '' },
  { title: 'SOURCE', cut: 'first' },
  { title: 'KIND' },
  { title: 'STATE', cut: 'last' },
  { title: 'WAITING' },
  { title: 'PARKED' },
  { title: 'NEXT PROBE' },
] as const;

export function sourceLines(output: Output, sources: readonly Source[], now: number): string[] {
  if (sources.length === 0)
    return ['There is no source yet. Add sources to lockstep.yaml, then run "lockstep apply".'];
  const unavailable = sources.filter(({ state }) => state !== 'up');
  const why = unavailable.flatMap(({ name, says }) => indented(`${name}: ${says}`, output.width));
  const next = unavailable.flatMap(nextSteps).map((step) => `  ${output.paint('bold', step)}`);
  return [
    ...table(
      output,
      columns,
      sources.map((source) => row(source, now)),
    ),
    ...(why.length === 0 ? [] : ['', 'Why:', ...why, '', 'Next:', ...next]),
  ];
}

function row(source: Source, now: number): Cell[] {
  const [text, style] = marks[source.state];
  const { name, kind, waiting, parked, nextProbeAt } = source;
  const probe = nextProbeAt === null ? '' : relative(nextProbeAt, now);
  return [{ text, style }, name, kind, stateText(source, now), `${waiting}`, `${parked}`, probe];
}

function stateText({ state, enabled, since }: Source, now: number): string {
  const duration = since === null ? '' : ` for ${span(now - Date.parse(since))}`;
  return enabled ? `${state}${duration}` : `disabled, ${state}${duration}`;
}

const nextSteps = ({ name, state, pausedBy }: Source): string[] => [
  ...(pausedBy === null || pausedBy === 'worker' ? [`lockstep doctor ${name}`] : []),
  `lockstep sources ${state === 'paused' ? 'resume' : 'retry'} ${name}`,
];

const waitingColumns = [
  { title: 'STATE' },
  { title: 'REASON' },
  { title: 'ACCOUNTS' },
  { title: 'OLDEST CHANGE' },
  { title: 'NEXT TRY' },
] as const;

/** The text of `lockstep sources waiting`: a row for each reason, then what each means and what can be done. */
export function waitingLines(
  output: Output,
  source: string,
  { groups }: Waiting,
  now: number,
): string[] {
  if (groups.length === 0) return [`Nothing waits for ${source}.`];
  const rows = groups.map(({ state, reason, accounts, oldestAt, nextTryAt }) => [
    state,
    reason ?? '',
    `${accounts}`,
    relative(oldestAt, now),
    nextTryAt === null ? '' : relative(nextTryAt, now),
  ]);
  const why = groups.flatMap(({ reason, says }) => (reason === null ? [] : [`${reason}: ${says}`]));
  const next = [...new Set(groups.flatMap(({ reason }) => reason ?? []))].map(
    (reason) => `  ${output.paint('bold', `lockstep sources retry ${source} --reason ${reason}`)}`,
  );
  return [
    ...table(output, waitingColumns, rows),
    ...['', 'Why:', ...[...new Set(why)].flatMap((text) => indented(text, output.width))],
    ...['', 'Next:', ...next],
  ];
}
