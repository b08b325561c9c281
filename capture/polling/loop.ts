import { setTimeout as sleep } from 'node:timers/promises';
import { log } from '../../log';
import type { NumberedStartpoint } from '../../model/startpoint';
import type { Take } from '../hand-over/listener';
import { type Page, type Place, type PollCode, type Poller, PollFailure } from './poller';

export interface Polling {
  /** There may be something to read. */
  wake(): void;
  /** One that an operator has set; those that were heeded before are left alone. */
  offer(startpoint: NumberedStartpoint): void;
  /** The number of the last that was heeded; 0: none yet. */
  heeded(): number;
  /** How often something was gone before it was read, since the relay was set up. */
  missed(): number;
  /** Why nothing could be read at the last try; null when it could. */
  trouble(): PollCode | null;
  /** After what is under way. */
  stop(): Promise<void>;
}

export interface PollingOptions {
  readonly source: string;
  readonly take: Take;
  /** Captures that wait in the spool. */
  readonly backlog: () => number;
  /** With so many of them the source keeps the rest for now. */
  readonly mostWaiting: number;
  /** Remembers the number of the last startpoint that was heeded. */
  readonly heeded: Place;
  /** Remembers how often something was missed. */
  readonly missed: Place;
  readonly everyMs: number;
  /** After a failure: the first wait, and the longest. */
  readonly waitMs: { readonly first: number; readonly most: number };
  readonly random: () => number;
}

/** Reads a page, makes it durable, and only then goes on behind it: whatever ends in between, it is read again. */
export function startPolling(poller: Poller, options: PollingOptions): Polling {
  const { source, backlog, mostWaiting, heeded, missed, everyMs, waitMs, random } = options;
  let pause = new AbortController();
  let wanted: NumberedStartpoint | null = null;
  let trouble: PollCode | null = null;
  let failures = 0;
  let stopped = false;
  const numberIn = (place: Place) => Number(place.current() ?? 0);

  async function turn(): Promise<boolean> {
    if (wanted !== null && wanted.number > numberIn(heeded)) await move(wanted);
    if (backlog() >= mostWaiting) return false;
    const page = await poller.read();
    await makeDurable(page, options.take);
    if (page.missed) await noteMissed();
    await poller.acknowledge(page);
    return page.more;
  }
  async function noteMissed(): Promise<void> {
    await missed.moveTo(String(numberIn(missed) + 1));
    log.error('changes of the source were gone before they were read', { source });
  }
  async function move({ number, startpoint }: NumberedStartpoint): Promise<void> {
    // Where it cannot go, it stays, until somebody says otherwise.
    wanted = null;
    await poller.moveTo(startpoint).catch((error) => {
      wanted = isUnknown(error) ? null : { number, startpoint };
      throw error;
    });
    await heeded.moveTo(String(number));
    log.info('the startpoint was moved', { source, count: number });
  }
  /** @returns the wait before the next turn */
  async function attempt(): Promise<number> {
    try {
      const more = await turn();
      if (failures > 0) log.info('the source is read again', { source, attempt: failures });
      failures = 0;
      trouble = null;
      return more ? 0 : everyMs;
    } catch (error) {
      failures++;
      trouble = error instanceof PollFailure ? error.code : 'unknown';
      const known = error instanceof PollFailure;
      log.warn('the source cannot be read now', {
        ...{ source, code: trouble, attempt: failures },
        ...(known ? { vendorCode: error.vendorCode } : { error }),
      });
      const wait = Math.min(waitMs.most, waitMs.first * 2 ** Math.min(failures - 1, 20));
      return wait * (0.5 + random() / 2);
    }
  }
  async function run(): Promise<void> {
    while (!stopped) {
      pause = new AbortController();
      const wait = await attempt();
      if (wait > 0 && !stopped)
        await sleep(wait, undefined, { signal: pause.signal }).catch(() => {});
    }
  }

  const running = run();
  return {
    wake() {
      if (failures === 0) pause.abort();
    },
    offer(startpoint) {
      if (startpoint.number <= numberIn(heeded)) return;
      wanted = startpoint;
      pause.abort();
    },
    heeded: () => numberIn(heeded),
    missed: () => numberIn(missed),
    trouble: () => trouble,
    async stop() {
      stopped = true;
      pause.abort();
      await running;
      await poller.close();
    },
  };
}

const isUnknown = (error: unknown): boolean =>
  error instanceof PollFailure && error.code === 'startpoint_unknown';

/** All of it; what is handed over twice because the rest could not be is known by its sequence. */
async function makeDurable({ captures }: Page, take: Take): Promise<void> {
  try {
    for (const capture of captures) {
      const refusal = await take(capture);
      if (refusal !== null) throw new PollFailure('unknown', refusal);
    }
  } finally {
    for (const { password, current } of captures) {
      password.destroy();
      current?.destroy();
    }
  }
}
