import type { Reason } from '../errors';
import type { SignInObstacle } from './sign-in-prevented';

/**
 * The states of one account in one change. A state with `settled` is final for that change; `says` is what people read.
 */
export const outcomeStates = {
  pending: { settled: false, says: 'not begun' },
  applying: { settled: false, says: 'being written' },
  waiting: { settled: false, says: 'waiting for the next attempt' },
  parked: {
    settled: false,
    says: 'parked: not tried again until an operator retries or cancels it',
  },
  applied: { settled: true, says: 'holds the new password' },
  rejected: { settled: true, says: 'rejected by its source' },
  expired: { settled: true, says: 'expired: the change became too old' },
  superseded: { settled: true, says: 'replaced by a newer password' },
  cancelled: { settled: true, says: 'cancelled before it was written' },
  not_attempted: { settled: true, says: 'not attempted' },
  not_applicable: { settled: true, says: 'left out by a rule' },
} as const;

export type OutcomeState = keyof typeof outcomeStates;

export type SettledState = {
  [State in OutcomeState]: (typeof outcomeStates)[State]['settled'] extends true ? State : never;
}[OutcomeState];

export const isSettled = (state: OutcomeState): state is SettledState =>
  outcomeStates[state].settled;

/** How a new password was verified; `none` when the source offers no harmless way, or verifying is switched off. */
export type Proof = 'login' | 'hash' | 'timestamp' | 'none';

/** The result of one attempt at an account, before it is stored as its outcome. */
export interface AttemptResult {
  readonly state: 'applied' | 'waiting' | 'parked' | 'rejected' | 'superseded' | 'not_applicable';
  readonly reason: Reason | null;
  /** The error code of the vendor, such as `19` or `28P01`. Never the error text, which may repeat a password. */
  readonly vendorCode: string | null;
  readonly proof: Proof;
  /** The account was found to hold the new password before this attempt wrote it. */
  readonly found?: true;
  /** No attempt of this change wrote the account, which held the new password already. */
  readonly unwritten?: true;
  /** What keeps the person from signing in with the account, which holds the new password. Absent if nothing is known. */
  readonly signInPrevented?: SignInObstacle;
  /** The write may have happened, so the next attempt verifies before it writes. */
  readonly inDoubt: boolean;
  /** Milliseconds that the source asks us to wait; null when it asks for none. */
  readonly retryAfterMs: number | null;
}
