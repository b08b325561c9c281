import { Counter, Histogram } from 'prom-client';
import { type ChangeState, changeStates, hasEnded, type Role } from '../../model/change/change';
import { isSettled, type OutcomeState } from '../../model/change/outcome';
import { counterBySource } from '../../telemetry/counter-by-source';

/**
 * The counters of changes and outcomes. Each process counts what its own statements have stored, so the sum over all
 * processes counts everything once. No label holds a person, an account name or text of a vendor.
 */

/** An outcome that a statement has just stored. */
export interface StoredOutcome {
  readonly source: string;
  readonly role: Role;
  readonly state: OutcomeState;
  readonly reason: string | null;
  /** True when an attempt at the account led to the outcome. */
  readonly attempted: boolean;
  /** Time since the change was accepted. */
  readonly seconds: number;
}

/** A change that a statement has just ended. */
export interface EndedChange {
  readonly state: ChangeState;
  /** Time since the change was accepted. */
  readonly seconds: number;
  /** Time since the password was captured; null when a caller requested the change. */
  readonly captureSeconds: number | null;
}

/**
 * Upper bounds in seconds: a local directory answers in 50 ms, and a change expires after 72 hours by default.
 */
const buckets = [
  ...[0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  ...[60, 300, 1_800, 7_200, 43_200, 259_200],
];

const acceptedTotal = new Counter({
  name: 'lockstep_changes_accepted_total',
  help: 'Changes that were accepted, by origin: request, capture, or sign_in (a reported sign-in that repairs accounts).',
  labelNames: ['origin'],
});

const changesTotal = new Counter({
  name: 'lockstep_changes_total',
  help: 'Changes that have ended, by final state.',
  labelNames: ['state'],
});

// The first end in a state is then an increase from 0, which an alert can see.
for (const state of Object.keys(changeStates) as ChangeState[])
  if (hasEnded(state)) changesTotal.inc({ state }, 0);

const outcomesTotal = counterBySource({
  name: 'lockstep_outcomes_total',
  help: 'Accounts that are settled, by source, by final state and by reason; the reason is none when there is none.',
  labelNames: ['source', 'state', 'reason'],
});

const attemptsTotal = counterBySource({
  name: 'lockstep_attempts_total',
  help: 'Attempts at accounts, by source, by the state that followed (applied, waiting, parked, rejected, superseded) and by reason.',
  labelNames: ['source', 'state', 'reason'],
});

const verdictSeconds = new Histogram({
  name: 'lockstep_change_verdict_seconds',
  help: 'Time from the acceptance of a change until its auth account was settled, by the state of that account.',
  labelNames: ['state'],
  buckets,
});

const changeSeconds = new Histogram({
  name: 'lockstep_change_duration_seconds',
  help: 'Time from the acceptance of a change to its end, by final state.',
  labelNames: ['state'],
  buckets,
});

const captureSeconds = new Histogram({
  name: 'lockstep_capture_duration_seconds',
  help: 'Time from the capture of a password, by the clock of its relay or caller, to the end of its change, by final state.',
  labelNames: ['state'],
  buckets,
});

/** Why a change was accepted. */
export type AcceptedOrigin = 'request' | 'capture' | 'sign_in';

export const countAccepted = (origin: AcceptedOrigin): void => acceptedTotal.inc({ origin });

export function countOutcomes(outcomes: readonly StoredOutcome[]): void {
  for (const { source, role, state, reason, attempted, seconds } of outcomes) {
    const labels = { source, state, reason: reason ?? 'none' };
    if (attempted) attemptsTotal.inc(labels);
    if (!isSettled(state)) continue;
    outcomesTotal.inc(labels);
    if (role === 'auth') verdictSeconds.observe({ state }, seconds);
  }
}

export function countEnded({ state, seconds, captureSeconds: sinceCapture }: EndedChange): void {
  changesTotal.inc({ state });
  changeSeconds.observe({ state }, seconds);
  // The clock of a relay may be ahead.
  if (sinceCapture !== null) captureSeconds.observe({ state }, Math.max(0, sinceCapture));
}
