import type { Results } from './measure';

/** A goal for Lockstep on the embedded engine that `npm start` uses. */
export interface Goal {
  readonly says: string;
  readonly value: number;
  readonly limit: number;
  readonly reached: boolean;
}

/** Compares the results with the goals. */
export function goalsOf(results: Results): Goal[] {
  const numbers = headlines(results);
  const { events = Number.NaN } = single(results, 1000)?.history ?? {};
  return [
    atMost(10, numbers.eventsPerChange, 'events a change (5 accounts in 2 sources, nothing waits)'),
    atMost(3, numbers.transitionsPerChange, 'state transitions a change'),
    atMost(30, events, 'events a change of 1,000 accounts'),
    atLeast(0.08, numbers.ratio['16'], 'of the rate of the bare loop, 16 in flight'),
    atMost(
      10,
      numbers.verdictP50Ratio,
      'times the whole change of the bare loop until the verdict, p50',
    ),
    atMost(2, numbers.accounts1000Ratio, 'times as long as the bare loop for 1,000 accounts'),
    atMost(300, numbers.workerRssMiB, 'MiB of memory for the worker'),
  ];
}

/** The main numbers of `--json`. Ratios are measured with proof unless named otherwise. */
export function headlines(results: Results) {
  const { history, memory } = results;
  const alone = load(results, true, 1);
  return {
    eventsPerChange: history.events,
    transitionsPerChange: history.transitions,
    ratio: ratios(results, true),
    ratioWithoutProof: ratios(results, false),
    verdictP50Ratio: (alone?.verdict?.p50Ms ?? Number.NaN) / (alone?.bare.p50Ms ?? Number.NaN),
    accounts1000Ratio: single(results, 1000)?.ratio ?? Number.NaN,
    workerRssMiB: memory.worker?.mostMiB ?? Number.NaN,
  };
}

const load = ({ loads }: Results, prove: boolean, inFlight: number) =>
  loads.find((load) => load.prove === prove && load.inFlight === inFlight);

const single = ({ singles }: Results, accounts: number) =>
  singles.find((result) => result.accounts === accounts);

const ratios = (results: Results, prove: boolean) => ({
  '1': load(results, prove, 1)?.ratio ?? Number.NaN,
  '16': load(results, prove, 16)?.ratio ?? Number.NaN,
  '64': load(results, prove, 64)?.ratio ?? Number.NaN,
});

const atMost = (limit: number, value: number, says: string): Goal => ({
  says: `at most ${limit} ${says}`,
  value,
  limit,
  reached: value <= limit,
});

const atLeast = (limit: number, value: number, says: string): Goal => ({
  says: `at least ${limit} ${says}`,
  value,
  limit,
  reached: value >= limit,
});
