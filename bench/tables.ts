import type { Measured } from './captures/measure';
import { cpuOf, goalsOf } from './goals';
import type { LoadResult, Results, SingleResult, Times } from './measure';
import type { Cost } from './processes';
import type { Table } from './table';

/** The results as tables, the goals first. */
export function tablesOf(results: Results): Table[] {
  const { loads, singles } = results;
  return [
    goalTable(results),
    loadTable('Changes of five accounts in two sources, each verified by a login', loads, true),
    ...(loads.some(({ prove }) => !prove)
      ? [loadTable('The same without proof', loads, false)]
      : []),
    cpuTable(loads),
    singleTable(singles),
    memoryTable(results),
  ];
}

const goalTable = (results: Results): Table => ({
  title: 'Goals',
  textFrom: 2,
  head: ['measured', 'stretch', 'reached', 'goal'],
  rows: goalsOf(results).map(({ reached, says, stretch, value }) => [
    rounded(value),
    stretch === null ? '' : `${stretch}`,
    ...[reached, says],
  ]),
});

const loadTable = (title: string, loads: readonly LoadResult[], prove: boolean): Table => ({
  title,
  textFrom: Number.POSITIVE_INFINITY,
  head: [
    ...['in flight', 'Lockstep/s', 'bare/s', 'ratio'],
    ...(prove ? ['empty workflow/s', 'ratio', 'verdict ms p50', 'p95'] : []),
    ...['done ms p50', 'p95', 'bare ms p50', 'p95'],
  ],
  rows: loads
    .filter((load) => load.prove === prove)
    .map(({ inFlight, lockstep, bare, floor, ratio, verdict }) => [
      ...[`${inFlight}`, lockstep.perSecond.toFixed(1), bare.perSecond.toFixed(1)],
      ratio.toFixed(3),
      ...(prove ? [floor?.perSecond.toFixed(1) ?? '', floor?.ratio.toFixed(2) ?? ''] : []),
      ...(verdict === null ? [] : shown(verdict)),
      ...[...shown(lockstep), ...shown(bare)],
    ]),
});

const cpuTable = (loads: readonly LoadResult[]): Table => ({
  title: 'CPU milliseconds per change',
  textFrom: 1,
  head: ['all', 'measured', 'of which'],
  rows: loads.flatMap(({ prove, inFlight, lockstep, bare, floor }) =>
    [
      { side: 'Lockstep', cost: lockstep.cpuMs },
      { side: 'bare loop', cost: bare.cpuMs },
      ...(floor === null ? [] : [{ side: 'empty workflow', cost: floor.cpuMs }]),
    ].map(({ side, cost }) => [
      cpuOf(cost).toFixed(1),
      `${side}, ${inFlight} in flight${prove ? ', proof' : ''}`,
      inWords(cost),
    ]),
  ),
});

const singleTable = (singles: readonly SingleResult[]): Table => ({
  title: 'One change with many accounts in addition to the auth account, with proof',
  textFrom: Number.POSITIVE_INFINITY,
  head: ['accounts', 'Lockstep ms', 'bare ms', 'ratio', 'events', 'transitions'],
  rows: singles.map(({ accounts, lockstepMs, bareMs, ratio, history: { events, transitions } }) => [
    ...[`${accounts}`, lockstepMs.toFixed(0), bareMs.toFixed(0), ratio.toFixed(2)],
    ...[`${events}`, `${transitions}`],
  ]),
});

const memoryTable = ({ memory }: Results): Table => ({
  title: 'Memory (MiB)',
  textFrom: 2,
  head: ['at the end', 'peak', 'process'],
  rows: Object.entries(memory).flatMap(([name, used]) =>
    used === null ? [] : [[`${used.nowMiB}`, `${used.mostMiB}`, name]],
  ),
});

const inWords = (cost: Cost): string =>
  Object.entries(cost)
    .map(([name, ms]) => `${name} ${ms.toFixed(1)}`)
    .join(', ');

const shown = ({ p50Ms, p95Ms }: Times): string[] => [p50Ms, p95Ms].map((ms) => ms.toFixed(0));

const rounded = (value: number): string =>
  Number.isInteger(value) ? `${value}` : value.toPrecision(3);

/** The results of the capture bench as a table. */
export const captureTable = (measured: readonly Measured[]): Table => ({
  title: 'Time from the change in its source to the last target',
  textFrom: 6,
  head: ['alone ms p50', 'p95', 'in flight', 'per second', 'ms p50', 'p95', 'captured by'],
  rows: measured.map(({ title, delayMs, perSecond, inFlight, delayInFlightMs }) => [
    ...[delayMs.p50.toFixed(0), delayMs.p95.toFixed(0), `${inFlight}`, perSecond.toFixed(1)],
    ...[delayInFlightMs.p50.toFixed(0), delayInFlightMs.p95.toFixed(0), title],
  ]),
});
