import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../../local/debian';
import type { Call } from '../call';
import { quantile } from '../statistics';
import type { Origin } from './origins';

export interface Measured {
  readonly title: string;
  /** From the change in its source to the last target, one change at a time. */
  readonly delayMs: { readonly p50: number; readonly p95: number };
  /** With so many people changing at once: what arrived everywhere, in a second. */
  readonly perSecond: number;
  readonly inFlight: number;
  readonly delayInFlightMs: { readonly p50: number; readonly p95: number };
}

export interface Effort {
  readonly oneByOne: number;
  readonly inFlight: number;
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
  const one = async (): Promise<Span> => {
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
  for (let turn = 0; turn < oneByOne; turn++) alone.push(await one());
  report(`${origin.title}: ${inFlight} in flight`);
  const together: Span[] = [];
  const lane = async () => {
    while (together.length + inFlight <= crowd) together.push(await one());
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

/** Milliseconds by the clock of this machine, which is also that of the database. */
interface Span {
  readonly began: number;
  readonly ended: number;
}

function delays(spans: readonly Span[]) {
  const all = spans.map(({ began, ended }) => ended - began);
  return { p50: quantile(all, 0.5), p95: quantile(all, 0.95) };
}

const LOOK_MS = 50;

/** When the last account of the next change of somebody had its outcome. @throws Error when not all of them have the password */
async function endOfNext(call: Call, person: string, before: string | null): Promise<number> {
  for (;;) {
    const id = await newestOf(call, person);
    if (id !== null && id !== before) {
      const { state, endedAt } = (await call('GET', `changes/${id}?wait=60`)) as Told;
      if (state !== 'done')
        throw new Error(`${id} is ${state}, not done: the numbers would be wrong`);
      return Date.parse(endedAt);
    }
    await sleep(LOOK_MS);
  }
}

interface Told {
  readonly id: string;
  readonly state: string;
  readonly endedAt: string;
}

async function newestOf(call: Call, person: string): Promise<string | null> {
  const { changes } = (await call('GET', `changes?identity=${person}&limit=1`)) as {
    changes: readonly Told[];
  };
  return changes[0]?.id ?? null;
}
