import { errors, type Reason } from '../errors';

/**
 * A source that cannot be used is asked by one change at a time, not by all that need it (a circuit breaker), and one
 * that refuses our service account by nobody: each further login could lock that account.
 */

/** What is wrong with the source as a whole, whichever account was asked for. */
export const sourceTroubles = [
  'unreachable',
  'busy',
  'throttled',
  'certificate_refused',
  'service_credential_refused',
] as const satisfies readonly Reason[];

export type SourceTrouble = (typeof sourceTroubles)[number];

export const isSourceTrouble = (reason: Reason | null): reason is SourceTrouble =>
  sourceTroubles.some((trouble) => trouble === reason);

/** Why nobody asks a source at all. */
export const pauseReasons = [
  'service_credential_refused',
  'source_paused',
] as const satisfies readonly Reason[];

export type PauseReason = (typeof pauseReasons)[number];

/** Why an account waits that would be tried at once if its source were up. */
export const heldReasons: readonly Reason[] = [...sourceTroubles, 'source_paused'];

/** Only the states that end by somebody's doing or by an answer are kept; a source without one is up. */
export type SourceState =
  | { readonly state: 'up' }
  | {
      readonly state: 'down';
      readonly reason: SourceTrouble;
      readonly since: Date;
      /** Probes that failed, the answer that opened the circuit included. */
      readonly failures: number;
      readonly nextProbeAt: Date;
    }
  | {
      readonly state: 'paused';
      readonly reason: PauseReason;
      readonly since: Date;
      /** `worker`, or whose API key. */
      readonly by: string;
    };

export const sourceStates: Readonly<Record<SourceState['state'], string>> = {
  up: 'its accounts are written at once',
  down: 'one change asks it now and then; the others wait, and follow when it answers',
  paused: 'nobody asks it until it is resumed; its accounts wait',
};

/** Why it is not up, and what to do. */
export const sourceSays = (source: SourceState): string =>
  source.state === 'up' ? sourceStates.up : errors[source.reason].says;

/** What an answer of a source does to its circuit. */
export type CircuitStep =
  | { readonly step: 'leave' | 'close' | 'pause' }
  | { readonly step: 'open'; readonly reason: SourceTrouble }
  /** Without a reason it is the one that was known. */
  | { readonly step: 'prolong'; readonly reason: SourceTrouble | null };

/**
 * @param reason what the attempt ended with; null for success
 * @param probing the attempt was the one that a source in trouble is asked with
 */
export function circuitStep(reason: Reason | null, probing: boolean): CircuitStep {
  if (reason === 'service_credential_refused') return { step: 'pause' };
  if (isSourceTrouble(reason)) return { step: probing ? 'prolong' : 'open', reason };
  if (!probing) return { step: 'leave' };
  // Cut off before it answered. Whatever else it says of an account, it answers.
  return reason === 'in_doubt' ? { step: 'prolong', reason: null } : { step: 'close' };
}

/** How fast those who waited come back to a source that is up again; it may be the crowd that brought it down. */
export const WAKE_PER_SECOND = 20;

/**
 * Who waits for a source, or is parked, is woken. That he looks by himself once in a while is for the case that nobody
 * woke him, so that I2 hangs on no signal.
 */
export const HELD_LOOK_MS = 3_600_000;
