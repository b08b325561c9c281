import { pausedSays, type Reason, waitingSays } from '../errors';

/**
 * The circuit breaker of a source. While a source is down, one change at a time probes it, and the others wait. While a
 * source refuses the service account of Lockstep, it is paused and nothing calls it, because each further login could
 * lock that account.
 */

/** The reasons that concern the source as a whole, whichever account the call was about. */
export const sourceTroubles = [
  'unreachable',
  'busy',
  'adapter_unreachable',
  'adapter_not_receiving',
  'throttled',
  'certificate_refused',
  'service_credential_refused',
] as const satisfies readonly Reason[];

export type SourceTrouble = (typeof sourceTroubles)[number];

export const isSourceTrouble = (reason: Reason | null): reason is SourceTrouble =>
  sourceTroubles.some((trouble) => trouble === reason);

/** The reasons for which a source is paused, so that nothing calls it. */
export const pauseReasons = [
  'service_credential_refused',
  'source_paused',
  'source_in_maintenance',
] as const satisfies readonly Reason[];

export type PauseReason = (typeof pauseReasons)[number];

/** The reasons of accounts that are tried at once when their source is up again. */
export const wokenReasons: readonly Reason[] = [
  ...sourceTroubles,
  'source_paused',
  'source_in_maintenance',
];

/** The reasons of accounts that wait only for their source. Those that wait for its limits are woken in their turn. */
export const heldReasons: readonly Reason[] = [...wokenReasons, 'source_at_limit'];

/** What has set a pause that is not of an operator: the worker itself, or a maintenance window of the configuration. */
export const automaticPauses = ['worker', 'maintenance'] as const;

/** The state of a source. The store keeps `down` and `paused` only; a source without a row is up. */
export type SourceState =
  | { readonly state: 'up' }
  | {
      readonly state: 'down';
      readonly reason: SourceTrouble;
      readonly since: Date;
      /** Number of failed probes, the failure that opened the circuit included. */
      readonly failures: number;
      readonly nextProbeAt: Date;
    }
  | {
      readonly state: 'paused';
      readonly reason: PauseReason;
      readonly since: Date;
      /** One of `automaticPauses`, or the name of the API key that paused it. */
      readonly by: string;
      /** The agent or the name of that key; absent if it is not known. */
      readonly byName?: string;
      /** When the pause ends by itself; null if an operator has to end it. */
      readonly until: Date | null;
    };

export const sourceStates: Readonly<Record<SourceState['state'], string>> = {
  up: 'its accounts are written at once',
  down: 'one change at a time probes it; the other accounts wait, and continue when it answers',
  paused:
    'its accounts wait until an operator resumes it, or until the time at which the pause ends',
};

/** The sentence about the state of a source: why it is not up, and what to do. */
export function sourceSays(source: SourceState): string {
  if (source.state === 'up') return sourceStates.up;
  if (source.state === 'paused' && source.reason === 'source_paused')
    return pausedSays(source.byName ?? null);
  return waitingSays(source.reason);
}

/** What one answer of a source does to its circuit. */
export type CircuitStep =
  | { readonly step: 'leave' | 'close' | 'pause' }
  | { readonly step: 'open'; readonly reason: SourceTrouble }
  /** With reason null, the stored reason stays. */
  | { readonly step: 'prolong'; readonly reason: SourceTrouble | null };

/**
 * Decides what one answer does to the circuit of its source.
 * @param reason the reason for which the attempt failed; null for success
 * @param probing true when the attempt was the probe of a source that is down
 */
export function circuitStep(reason: Reason | null, probing: boolean): CircuitStep {
  if (reason === 'service_credential_refused') return { step: 'pause' };
  if (isSourceTrouble(reason)) return { step: probing ? 'prolong' : 'open', reason };
  if (!probing) return { step: 'leave' };
  // A lost answer proves nothing. Any other reason concerns one account, and shows that the source answers.
  return reason === 'in_doubt' ? { step: 'prolong', reason: null } : { step: 'close' };
}

/**
 * Waiting accounts woken in the first second when a source is up again. The load of all of them may be what brought it
 * down, so the rate doubles each second, up to `MOST_WOKEN_PER_SECOND`, only while the accounts are really tried.
 */
export const WAKE_PER_SECOND = 20;

export const MOST_WOKEN_PER_SECOND = 160;

/**
 * Interval of the fallback poll, in milliseconds, for accounts that wait for their source or are parked. They are woken
 * when that ends; the poll covers a lost wake-up, so that I2 depends on no signal.
 */
export const HELD_LOOK_MS = 3_600_000;
