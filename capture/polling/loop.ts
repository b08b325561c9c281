import { log } from '../../log';
import type { NumberedStartpoint } from '../../model/captures/startpoint';
import type { Take } from '../hand-over/listener';
import { type Pace, repeat } from '../retry-loop';
import { type Checkpoint, type Page, type PollCode, type Poller, PollFailure } from './poller';

export interface Polling {
  /** There may be something to read. */
  wake(): void;
  /** One that an operator has set; those that were startpointApplied before are left alone. */
  offer(startpoint: NumberedStartpoint): void;
  /** The number of the last that was startpointApplied; 0: none yet. */
  startpointApplied(): number;
  /** How often something was gone before it was read, since the relay was set up. */
  missed(): number;
  /** Why nothing could be read at the last try, or a startpoint not be startpointApplied; null when all is well. */
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
  /** Remembers the number of the last startpoint that was startpointApplied. */
  readonly startpointApplied: Checkpoint;
  /** Remembers how often something was missed. */
  readonly missed: Checkpoint;
  readonly pace: Pace;
}

/** Reads a page, makes it durable, and only then goes on behind it: whatever ends in between, it is read again. */
export function startPolling(poller: Poller, options: PollingOptions): Polling {
  const { source, backlog, mostWaiting, startpointApplied, missed, pace } = options;
  let wanted: NumberedStartpoint | null = null;
  /** The number of the last startpoint that the source did not know. */
  let refused = 0;
  let trouble: PollCode | null = null;
  const numberIn = (place: Checkpoint) => Number(place.current() ?? 0);

  async function turn(): Promise<boolean> {
    if (wanted !== null) await move(wanted);
    if (backlog() >= mostWaiting) return false;
    const page = await poller.read();
    await makeDurable(page, options.take);
    if (page.missed) await noteMissed();
    await poller.acknowledge(page);
    trouble = null;
    return page.more;
  }
  async function noteMissed(): Promise<void> {
    await missed.moveTo(String(numberIn(missed) + 1));
    log.error('changes of the source were gone before they were read', { source });
  }
  /** Where it cannot go, it stays, and says so until somebody says otherwise. */
  async function move({ number, startpoint }: NumberedStartpoint): Promise<void> {
    try {
      await poller.moveTo(startpoint);
      await startpointApplied.moveTo(String(number));
      log.info('the startpoint was moved', { source, count: number });
    } catch (error) {
      if (!(error instanceof PollFailure) || error.code !== 'startpoint_unknown') throw error;
      refused = number;
      log.error('the source does not know the startpoint that was set', { source, count: number });
    }
    if (wanted?.number === number) wanted = null;
  }
  const repeated = repeat(
    {
      once: turn,
      recovered: (failures) => log.info('the source is read again', { source, attempt: failures }),
      failed(error, failures) {
        const known = error instanceof PollFailure;
        trouble = known ? error.code : 'unknown';
        log.warn('the source cannot be read now', {
          ...{ source, code: trouble, attempt: failures },
          ...(known ? { vendorCode: error.vendorCode } : { error }),
        });
      },
    },
    pace,
  );
  return {
    wake: repeated.wake,
    offer(startpoint) {
      if (startpoint.number <= Math.max(numberIn(startpointApplied), refused)) return;
      wanted = startpoint;
      repeated.hurry();
    },
    startpointApplied: () => numberIn(startpointApplied),
    missed: () => numberIn(missed),
    trouble: () => (refused > numberIn(startpointApplied) ? 'startpoint_unknown' : trouble),
    async stop() {
      await repeated.stop();
      await poller.close();
    },
  };
}

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
