import { log } from '../../log';
import { waitMs } from '../../model/change/retry';
import { circuitStep, HELD_LOOK_MS } from '../../model/change/source-circuit';
import type { Reason } from '../../model/errors';
import { openCircuit, pauseSource, prolongCircuit, reopenSource } from '../../store/sources/state';
import type { Dependencies } from '../dependencies';

/** The part of a connector's answer that concerns the source as a whole. */
export interface SourceAnswer {
  readonly source: string;
  /** Why the call failed; null for success. */
  readonly reason: Reason | null;
  readonly vendorCode: string | null;
  /** Milliseconds that the source asks us to wait; null when it asks for none. */
  readonly retryAfterMs: number | null;
  /**
   * Number of probes that failed before, when this was the probe of a source that is down; null for every other call.
   */
  readonly probe: number | null;
}

/**
 * Records an answer in the stored state of the source: opens, prolongs or closes its circuit, or pauses it. An answer
 * of a source that is up and stays up writes nothing.
 * @returns in how many milliseconds the source may be called again; null when it may be called now
 */
export async function recordSourceAnswer(
  { db, random }: Pick<Dependencies, 'db' | 'random'>,
  { source, reason, vendorCode, retryAfterMs, probe }: SourceAnswer,
): Promise<number | null> {
  const failures = (probe ?? 0) + 1;
  const probeInMs = waitMs('unreachable', failures, retryAfterMs, random());
  const next = circuitStep(reason, probe !== null);
  switch (next.step) {
    case 'leave':
      return null;
    case 'close':
      if (await reopenSource(db, source, 'down', 'worker'))
        log.info('a source is up again; the accounts that wait for it are woken', { source });
      return null;
    case 'open':
      if (await openCircuit(db, source, next.reason, probeInMs))
        log.warn('a source is down; its accounts wait while one change at a time probes it', {
          source,
          reason: next.reason,
        });
      return probeInMs;
    case 'prolong':
      await prolongCircuit(db, source, next.reason, failures, probeInMs);
      return probeInMs;
    case 'pause':
      if (await pauseSource(db, source, 'service_credential_refused', 'worker'))
        log.error(
          'a source refuses the service account of Lockstep and is paused; correct the name or password, then run "lockstep sources resume"',
          { source, vendorCode },
        );
      return HELD_LOOK_MS;
  }
}
