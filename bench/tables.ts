import type { Measured } from './captures/measure';
import { goalsOf } from './goals';
import type { LoadResult, Results, Times } from './measure';
import type { Cost } from './processes';

/** The results as text tables, with a line for each goal. */
export function tablesOf(results: Results): string {
  const { history, loads, memory, singles } = results;
  return [
    ...loadTable('Changes of five accounts in two sources, each verified by a login', loads, true),
    ...(loads.some(({ prove }) => !prove) ? loadTable('The same without proof', loads, false) : []),
    ...cpuTable(loads),
    'One change with many accounts besides the auth account, with proof',
    ...columns([
      ['accounts', 'Lockstep ms', 'bare ms', 'ratio', 'events', 'transitions'],
      ...singles.map(
        ({ accounts, lockstepMs, bareMs, ratio, history: { events, transitions } }) => [
          `${accounts}`,
          lockstepMs.toFixed(0),
          bareMs.toFixed(0),
          ratio.toFixed(2),
          `${events}`,
          `${transitions}`,
        ],
      ),
    ]),
    `In the engine, a change of five accounts in two sources: ${history.events} events, ${history.transitions} state transitions`,
    ...Object.entries(memory).flatMap(([name, used]) =>
      used === null
        ? []
        : [`Memory of the ${name}: ${used.nowMiB} MiB, at most ${used.mostMiB} MiB`],
    ),
    '',
    ...goalsOf(results).map(
      ({ reached, says, value }) =>
        `${reached ? 'reached' : 'MISSED '}  ${says}: ${rounded(value)}`,
    ),
    '',
  ].join('\n');
}

function loadTable(title: string, loads: readonly LoadResult[], prove: boolean): string[] {
  return [
    title,
    ...columns([
      [
        'in flight',
        'Lockstep/s',
        'bare/s',
        'ratio',
        ...(prove ? ['verdict ms p50 p95'] : []),
        'done ms p50 p95',
        'bare ms p50 p95',
      ],
      ...loads
        .filter((load) => load.prove === prove)
        .map(({ inFlight, lockstep, bare, ratio, verdict }) => [
          `${inFlight}`,
          lockstep.perSecond.toFixed(1),
          bare.perSecond.toFixed(1),
          ratio.toFixed(3),
          ...(verdict === null ? [] : [shown(verdict)]),
          shown(lockstep),
          shown(bare),
        ]),
    ]),
  ];
}

function cpuTable(loads: readonly LoadResult[]): string[] {
  const rows = loads.flatMap(({ prove, inFlight, lockstep, bare }) =>
    [
      { side: 'Lockstep', cost: lockstep.cpuMs },
      { side: 'bare loop', cost: bare.cpuMs },
    ].map(({ side, cost }) => [
      `${side}, ${inFlight} in flight${prove ? ', proof' : ''}`,
      Object.values(cost)
        .reduce((total, ms) => total + ms, 0)
        .toFixed(1),
      inWords(cost),
    ]),
  );
  return ['CPU milliseconds per change', ...columns([['', 'all', 'of which'], ...rows], 2)];
}

const inWords = (cost: Cost): string =>
  Object.entries(cost)
    .map(([name, ms]) => `${name} ${ms.toFixed(1)}`)
    .join(', ');

const shown = ({ p50Ms, p95Ms }: Times): string =>
  [p50Ms, p95Ms].map((ms) => ms.toFixed(0).padStart(4)).join(' ');

const rounded = (value: number): string =>
  Number.isInteger(value) ? `${value}` : value.toPrecision(3);

/** The results of the capture bench as a text table. */
export const captureTable = (measured: readonly Measured[]): string =>
  [
    'Time from the change in its source to the last target',
    ...columns(
      [
        ['alone ms p50', 'p95', 'in flight', 'per second', 'ms p50', 'p95', 'captured by'],
        ...measured.map(({ title, delayMs, perSecond, inFlight, delayInFlightMs }) => [
          ...[delayMs.p50.toFixed(0), delayMs.p95.toFixed(0), `${inFlight}`, perSecond.toFixed(1)],
          ...[delayInFlightMs.p50.toFixed(0), delayInFlightMs.p95.toFixed(0), title],
        ]),
      ],
      6,
    ),
    '',
  ].join('\n');

/** Aligns columns: numbers to the right, and text to the left from column `textFrom` on. */
function columns(rows: readonly (readonly string[])[], textFrom = Number.POSITIVE_INFINITY) {
  const widths = (rows[0] ?? []).map((_, index) =>
    Math.max(...rows.map((row) => row[index]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) =>
        index >= textFrom ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [...rows.map((row) => `  ${line(row)}`), ''];
}
