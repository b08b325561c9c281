import { log } from '../../log';
import type { NumberedStartpoint } from '../../model/captures/startpoint';
import type { IngestCapture } from '../hand-over/listener';
import { type Pace, startRetryLoop } from '../retry-loop';
import { type Checkpoint, type Page, type PollCode, type Poller, PollFailure } from './poller';

/** The loop that polls a source. */
export interface Polling {
  /** Reads now, because there may be something to read. */
  wake(): void;
  /** Applies a startpoint that an operator has set. One that was applied or rejected before is ignored. */
  offer(startpoint: NumberedStartpoint): void;
  /** Number of the last applied startpoint; 0 if none was applied yet. */
  startpointApplied(): number;
  /** How many times, since the relay was set up, changes were gone from the source before they were read. */
  missed(): number;
  /** Why the last read failed, or `startpoint_unknown` if the source rejected the startpoint; null if neither applies. */
  trouble(): PollCode | null;
  /** Ends the current read, then stops and closes the poller. */
  stop(): Promise<void>;
}

export interface PollingOptions {
  readonly source: string;
  readonly ingest: IngestCapture;
  /** Number of captures in the spool that are not delivered yet. */
  readonly backlog: () => number;
  /** Backlog at which polling pauses; further changes stay in the source. */
  readonly maxBacklog: number;
  /** Stores the number of the last applied startpoint. */
  readonly startpointApplied: Checkpoint;
  /** Stores how many times changes were missed. */
  readonly missed: Checkpoint;
  readonly pace: Pace;
}

/**
 * Starts to poll a source. Each page is made durable before it is acknowledged, so a page that is interrupted by a crash is
 * read again.
 */
export function startPolling(poller: Poller, options: PollingOptions): Polling {
  const { source, backlog, maxBacklog, startpointApplied, missed, pace } = options;
  let wanted: NumberedStartpoint | null = null;
  /** Number of the last startpoint that the source rejected. */
  let refused = 0;
  let trouble: PollCode | null = null;
  const numberIn = (checkpoint: Checkpoint) => Number(checkpoint.current() ?? 0);

  async function turn(): Promise<boolean> {
    if (wanted !== null) await move(wanted);
    if (backlog() >= maxBacklog) return false;
    const page = await poller.read();
    await makeDurable(page, options.ingest);
    if (page.missed) await noteMissed();
    await poller.acknowledge(page);
    trouble = null;
    return page.more;
  }
  async function noteMissed(): Promise<void> {
    await missed.moveTo(String(numberIn(missed) + 1));
    log.error(
      'the source had removed changes before the relay read them: run "lockstep stale" to see affected accounts',
      { source },
    );
  }
  /** Applies a startpoint. If the source rejects it, the checkpoint stays, and `trouble` reports it until an operator sets another. */
  async function move({ number, startpoint }: NumberedStartpoint): Promise<void> {
    try {
      await poller.moveTo(startpoint);
      await startpointApplied.moveTo(String(number));
      log.info('the relay applied a startpoint', { source, count: number });
    } catch (error) {
      if (!(error instanceof PollFailure) || error.code !== 'startpoint_unknown') throw error;
      refused = number;
      log.error('the source does not have the startpoint: run "lockstep captures set-startpoint"', {
        source,
        count: number,
      });
    }
    if (wanted?.number === number) wanted = null;
  }
  const loop = startRetryLoop(
    {
      once: turn,
      recovered: (failures) =>
        log.info('the relay can read the source again', { source, attempt: failures }),
      failed(error, failures) {
        const isPollFailure = error instanceof PollFailure;
        trouble = isPollFailure ? error.code : 'unknown';
        log.warn('the relay cannot read the source now; it retries', {
          ...{ source, code: trouble, attempt: failures },
          ...(isPollFailure ? { vendorCode: error.vendorCode } : { error }),
        });
      },
    },
    pace,
  );
  return {
    wake: loop.wake,
    offer(startpoint) {
      if (startpoint.number <= Math.max(numberIn(startpointApplied), refused)) return;
      wanted = startpoint;
      loop.hurry();
    },
    startpointApplied: () => numberIn(startpointApplied),
    missed: () => numberIn(missed),
    trouble: () => (refused > numberIn(startpointApplied) ? 'startpoint_unknown' : trouble),
    async stop() {
      await loop.stop();
      await poller.close();
    },
  };
}

/**
 * Appends every capture of a page to the spool. If one fails, the page is read again, and the server recognizes the captures
 * that arrive twice by their sequence.
 */
async function makeDurable({ captures }: Page, ingest: IngestCapture): Promise<void> {
  try {
    for (const capture of captures) {
      const refusal = await ingest(capture);
      if (refusal !== null) throw new PollFailure('unknown', refusal);
    }
  } finally {
    for (const { password, current } of captures) {
      password.destroy();
      current?.destroy();
    }
  }
}
