import type { LoadResult, Results } from './measure';
import { sum } from './statistics';

/** A goal for Lockstep on the embedded engine that `npm start` uses. */
export interface Goal {
  readonly says: string;
  readonly value: number;
  readonly target: number;
  /** A more distant goal; null if there is none. */
  readonly stretch: number | null;
  readonly reached: 'stretch' | 'target' | 'missed';
}

/** Compares the results with the goals. */
export function goalsOf(results: Results): Goal[] {
  const numbers = headlines(results);
  const { events = Number.NaN } = single(results, 1000)?.history ?? {};
  return [
    atLeast(0.45, 0.6, numbers.floorRatio, 'of the rate of an empty workflow, 16 in flight'),
    atLeast(0.06, 0.08, numbers.ratio['1'], 'of the rate of the bare loop, 1 in flight'),
    atLeast(0.09, 0.12, numbers.ratio['16'], 'of the rate of the bare loop, 16 in flight'),
    atLeast(0.095, 0.12, numbers.ratio['64'], 'of the rate of the bare loop, 64 in flight'),
    atMost(33, 25, numbers.cpuMsPerChange, 'CPU ms a change, all processes, 16 in flight'),
    atMost(
      10,
      8,
      numbers.verdictP50Ratio,
      'times the whole change of the bare loop until the verdict, p50',
    ),
    atMost(1.8, 1.3, numbers.accounts1000Ratio, 'times the bare loop for 1,000 accounts'),
    atMost(260, 200, numbers.workerRssMiB, 'MiB of memory for the worker'),
    atMost(10, null, numbers.eventsPerChange, 'events a change (5 accounts, nothing waits)'),
    atMost(3, null, numbers.transitionsPerChange, 'state transitions a change'),
    atMost(30, null, events, 'events a change of 1,000 accounts'),
  ];
}

/** The main numbers of `--json`. They are measured with proof unless named otherwise. */
export function headlines(results: Results) {
  const { history, memory } = results;
  const alone = load(results, true, 1);
  const busy = load(results, true, 16);
  return {
    eventsPerChange: history.events,
    transitionsPerChange: history.transitions,
    ratio: ratios(results, true),
    ratioWithoutProof: ratios(results, false),
    floorRatio: busy?.floor?.ratio ?? Number.NaN,
    cpuMsPerChange: busy === undefined ? Number.NaN : cpuOf(busy.lockstep.cpuMs),
    verdictP50Ratio: (alone?.verdict?.p50Ms ?? Number.NaN) / (alone?.bare.p50Ms ?? Number.NaN),
    accounts1000Ratio: single(results, 1000)?.ratio ?? Number.NaN,
    workerRssMiB: memory.worker?.mostMiB ?? Number.NaN,
  };
}

/** CPU milliseconds of all processes together. */
export const cpuOf = (cost: LoadResult['lockstep']['cpuMs']): number => sum(Object.values(cost));

const load = ({ loads }: Results, prove: boolean, inFlight: number) =>
  loads.find((load) => load.prove === prove && load.inFlight === inFlight);

const single = ({ singles }: Results, accounts: number) =>
  singles.find((result) => result.accounts === accounts);

const ratios = (results: Results, prove: boolean) => ({
  '1': load(results, prove, 1)?.ratio ?? Number.NaN,
  '16': load(results, prove, 16)?.ratio ?? Number.NaN,
  '64': load(results, prove, 64)?.ratio ?? Number.NaN,
});

const atMost = (target: number, stretch: number | null, value: number, says: string): Goal => ({
  says: `at most ${target} ${says}`,
  ...{ value, target, stretch },
  reached: reached(value <= target, stretch !== null && value <= stretch),
});

const atLeast = (target: number, stretch: number | null, value: number, says: string): Goal => ({
  says: `at least ${target} ${says}`,
  ...{ value, target, stretch },
  reached: reached(value >= target, stretch !== null && value >= stretch),
});

const reached = (target: boolean, stretch: boolean): Goal['reached'] =>
  stretch ? 'stretch' : target ? 'target' : 'missed';
