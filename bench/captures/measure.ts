import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../../local/debian';
import type { Call } from '../call';
import { quantile } from '../statistics';
import type { Origin } from './origins';

export interface Measured {
  readonly title: string;
  /** Time from the change in its source to the last target, one change at a time. */
  readonly delayMs: { readonly p50: number; readonly p95: number };
  /** Number of changes per second that reached every target, with `inFlight` changes at a time. */
  readonly perSecond: number;
  /** Number of people who change their password at the same time. */
  readonly inFlight: number;
  /** Time from the change in its source to the last target, with `inFlight` changes at a time. */
  readonly delayInFlightMs: { readonly p50: number; readonly p95: number };
}

/** How much is measured. */
export interface Effort {
  /** Number of changes one at a time. */
  readonly oneByOne: number;
  /** Number of changes at the same time. */
  readonly inFlight: number;
  /** Total number of changes with `inFlight` at the same time. */
  readonly crowd: number;
}

export const efforts = {
  full: { oneByOne: 24, inFlight: 16, crowd: 192 },
  quick: { oneByOne: 3, inFlight: 8, crowd: 16 },
} as const satisfies Record<string, Effort>;

export async function measureOrigin(
  origin: Origin,
  call: Call,
  { oneByOne, inFlight, crowd }: Effort,
  report: Report,
): Promise<Measured> {
  const queue = [...origin.people];
  const changeNext = async (): Promise<Span> => {
    const person = queue.shift() ?? '';
    const before = await newestOf(call, person);
    const began = Date.now();
    await origin.change(person, crypto.randomUUID());
    const ended = await endOfNext(call, person, before);
    queue.push(person);
    return { began, ended };
  };
  report(`${origin.title}: one at a time`);
  const alone: Span[] = [];
  for (let turn = 0; turn < oneByOne; turn++) alone.push(await changeNext());
  report(`${origin.title}: ${inFlight} in flight`);
  const together: Span[] = [];
  const lane = async () => {
    while (together.length + inFlight <= crowd) together.push(await changeNext());
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const began = Math.min(...together.map((span) => span.began));
  const ended = Math.max(...together.map((span) => span.ended));
  return {
    title: origin.title,
    delayMs: delays(alone),
    perSecond: together.length / ((ended - began) / 1000),
    inFlight,
    delayInFlightMs: delays(together),
  };
}

/** Start and end in milliseconds, by the clock of this machine, which the database uses as well. */
interface Span {
  readonly began: number;
  readonly ended: number;
}

function delays(spans: readonly Span[]) {
  const all = spans.map(({ began, ended }) => ended - began);
  return { p50: quantile(all, 0.5), p95: quantile(all, 0.95) };
}

const LOOK_MS = 50;

/**
 * Waits for the next change of a person. @returns the time at which its last account had an outcome
 * @throws Error if not all accounts have the new password
 */
async function endOfNext(call: Call, person: string, before: string | null): Promise<number> {
  for (;;) {
    const id = await newestOf(call, person);
    if (id !== null && id !== before) {
      const { state, endedAt } = (await call('GET', `changes/${id}?wait=60`)) as ListedChange;
      if (state !== 'done')
        throw new Error(`${id} is ${state}, not done: the numbers would be wrong`);
      return Date.parse(endedAt);
    }
    await sleep(LOOK_MS);
  }
}

interface ListedChange {
  readonly id: string;
  readonly state: string;
  readonly endedAt: string;
}

async function newestOf(call: Call, person: string): Promise<string | null> {
  const { changes } = (await call('GET', `changes?identity=${person}&limit=1`)) as {
    changes: readonly ListedChange[];
  };
  return changes[0]?.id ?? null;
}
