import type { Source } from '../http/shapes';
import type { Output, Style } from '../output';
import { indented } from './change-text';
import { type Cell, table } from './table';
import { relative, span } from './times';

/** How sources are told to a person: a row each, why they are not up, and what to do. */

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
  { title: 'ASKED AGAIN' },
] as const;

export function sourceLines(output: Output, sources: readonly Source[], now: number): string[] {
  if (sources.length === 0) return ['No source yet. "lockstep apply" makes them.'];
  const troubled = sources.filter(({ state }) => state !== 'up');
  const why = troubled.flatMap(({ name, says }) => indented(`${name}: ${says}`, output.width));
  const next = troubled.flatMap(nextSteps).map((step) => `  ${output.paint('bold', step)}`);
  return [
    ...table(
      output,
      columns,
      sources.map((source) => row(source, now)),
    ),
    ...(why.length === 0 ? [] : ['', 'Why', ...why, '', 'Next:', ...next]),
  ];
}

function row(source: Source, now: number): Cell[] {
  const [text, style] = marks[source.state];
  const { name, kind, waiting, parked, nextProbeAt } = source;
  const again = nextProbeAt === null ? '' : relative(nextProbeAt, now);
  return [{ text, style }, name, kind, standing(source, now), `${waiting}`, `${parked}`, again];
}

function standing({ state, enabled, since }: Source, now: number): string {
  const lasting = since === null ? '' : ` for ${span(now - Date.parse(since))}`;
  return enabled ? `${state}${lasting}` : `switched off, ${state}${lasting}`;
}

const nextSteps = ({ name, state, pausedBy }: Source): string[] => [
  ...(pausedBy === null || pausedBy === 'worker' ? [`lockstep doctor ${name}`] : []),
  `lockstep sources ${state === 'paused' ? 'resume' : 'retry'} ${name}`,
];
