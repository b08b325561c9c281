import { log } from '../log';
import { waitMs } from '../model/change/retry';
import { circuitStep, HELD_LOOK_MS } from '../model/change/source-circuit';
import type { Reason } from '../model/errors';
import { openCircuit, pauseSource, prolongCircuit, reopenSource } from '../store/sources/state';
import type { Dependencies } from './dependencies';

/** What a step learned about the source as a whole. */
export interface SourceAnswer {
  readonly source: string;
  /** Null for success. */
  readonly reason: Reason | null;
  readonly vendorCode: string | null;
  /** What the source asks us to wait, when it says so. */
  readonly retryAfterMs: number | null;
  /** Failures so far, when this was the probe of a source that is down; else null. */
  readonly probe: number | null;
}

/**
 * Keeps the state of the source true. One that is up and answers costs nothing.
 * @returns in how many ms it may be asked again; null when it is not in trouble
 */
export async function noteAnswer(
  { db, random }: Pick<Dependencies, 'db' | 'random'>,
  { source, reason, vendorCode, retryAfterMs, probe }: SourceAnswer,
): Promise<number | null> {
  const failures = (probe ?? 0) + 1;
  const waits = waitMs('unreachable', failures, retryAfterMs, random());
  const next = circuitStep(reason, probe !== null);
  switch (next.step) {
    case 'leave':
      return null;
    case 'close':
      if (await reopenSource(db, source, 'down', 'worker'))
        log.info('a source is up again; those who wait for it are woken', { source });
      return null;
    case 'open':
      if (await openCircuit(db, source, next.reason, waits))
        log.warn('a source is down; one change asks it now and then', {
          source,
          reason: next.reason,
        });
      return waits;
    case 'prolong':
      await prolongCircuit(db, source, next.reason, failures, waits);
      return waits;
    case 'pause':
      if (await pauseSource(db, source, 'service_credential_refused', 'worker'))
        log.error('a source refuses our service account and is paused', { source, vendorCode });
      return HELD_LOOK_MS;
  }
}
