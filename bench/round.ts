import { setTimeout as sleep } from 'node:timers/promises';
import { type Cost, costOf, costSince, type Watched } from './processes';

export interface Load {
  /** Number of changes at the same time. */
  readonly inFlight: number;
  /** Duration of the measurement. It lasts longer if no change ends in this time. */
  readonly windowMs: number;
}

export interface Round {
  /** Number of changes that ended in the window. */
  readonly changes: number;
  readonly seconds: number;
  readonly timesMs: readonly number[];
  readonly cost: Cost;
}

/**
 * Runs a closed loop: a fixed number of lanes each start a change when their last one ends. Only changes that end in the window
 * count. The window opens when every lane has completed one change, so neither the start nor the end distorts the rate.
 * @param change makes one change and returns its duration in milliseconds
 */
export async function runRound(
  { inFlight, windowMs }: Load,
  watched: Watched,
  change: () => Promise<number>,
): Promise<Round> {
  const timesMs: number[] = [];
  let counting = false;
  let over = false;
  let warm = 0;
  let onCounted = (): void => {};
  const counted = new Promise<void>((resolve) => {
    onCounted = resolve;
  });
  const lane = async (whenWarm: () => void): Promise<void> => {
    for (let first = true; !over; first = false) {
      const ms = await change();
      if (counting) {
        timesMs.push(ms);
        onCounted();
      }
      if (first && ++warm === inFlight) whenWarm();
    }
  };
  let lanes: Promise<unknown> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    lanes = Promise.all(Array.from({ length: inFlight }, () => lane(resolve)));
    lanes.catch(reject);
  });
  const before = costOf(watched);
  const began = performance.now();
  counting = true;
  await Promise.race([Promise.all([sleep(windowMs), counted]), lanes]);
  counting = false;
  over = true;
  const seconds = (performance.now() - began) / 1000;
  const cost = costSince(before, costOf(watched));
  await lanes;
  return { changes: timesMs.length, seconds, timesMs, cost };
}

/** The duration of `work` in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Runs `work` for the first person of the queue, who is removed from it in the meantime and then added at its end. */
export async function inTurn<Person, Result>(
  queue: Person[],
  work: (person: Person) => Promise<Result>,
): Promise<Result> {
  const person = queue.shift();
  if (person === undefined) throw new Error('More changes in flight than people');
  try {
    return await work(person);
  } finally {
    queue.push(person);
  }
}
