import { setTimeout as sleep } from 'node:timers/promises';
import { type Cost, costOf, costSince, type Watched } from './processes';

export interface Load {
  readonly inFlight: number;
  readonly windowMs: number;
}

export interface Round {
  readonly changes: number;
  readonly seconds: number;
  readonly timesMs: readonly number[];
  readonly cost: Cost;
}

/**
 * A closed loop: so many changes at any time, each begun when one ends. It counts what ends in a window that opens
 * when every lane has had one, so that neither the beginning nor the end of the round distorts the rate.
 * @param change makes one change and tells the milliseconds that it took
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
  const lane = async (whenWarm: () => void): Promise<void> => {
    for (let first = true; !over; first = false) {
      const ms = await change();
      if (counting) timesMs.push(ms);
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
  await Promise.race([sleep(windowMs), lanes]);
  counting = false;
  over = true;
  const seconds = (performance.now() - began) / 1000;
  const cost = costSince(before, costOf(watched));
  await lanes;
  return { changes: timesMs.length, seconds, timesMs, cost };
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Whose turn it is: taken while they are changed, then at the end of the queue. */
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
