import { errors, type Reason } from '../errors';
import type { AttemptResult } from './outcome';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * Waits before attempt 2, 3, …: SailPoint's schedule (5 s, 1, 3, 10, 30, 90 min), then hourly until the change is
 * too old (72 h as in PCNS). Source: reference semantics §2 `S:retry`, §7.
 */
const OFFLINE_WAITS_MS = [5 * SECOND, MINUTE, 3 * MINUTE, 10 * MINUTE, 30 * MINUTE, 90 * MINUTE];
const OFFLINE_THEN_MS = HOUR;

/** Where there is nothing to wait for but a moment: an older change ends its step, a doubtful write is looked up. */
const SHORT_WAIT_MS = 2 * SECOND;
/** Whoever keeps an account for longer may keep it for hours. */
const SHORT_WAITS_IN_USE = 3;

/**
 * Unknown errors and refused proofs get this many attempts (Ping's max-operation-attempts); those that an offline source
 * took do not count (reference semantics §6.10).
 */
export const UNKNOWN_ATTEMPTS = 5;

/**
 * How long to wait before the next attempt.
 * @param attempts how many were made, 1 or more
 * @param asked what the source asked for, which is honoured when it is longer
 * @param jitter from 0 to 1: spreads a crowd of waiting accounts over a fifth of the wait
 */
export function waitMs(
  reason: Reason,
  attempts: number,
  asked: number | null,
  jitter: number,
): number {
  if (reason === 'others_first') return 0;
  const step = reason === 'account_in_use' ? attempts - SHORT_WAITS_IN_USE : attempts;
  const short = step < 1 || (reason === 'in_doubt' && attempts === 1);
  const scheduled = short ? SHORT_WAIT_MS : (OFFLINE_WAITS_MS[step - 1] ?? OFFLINE_THEN_MS);
  return Math.round(Math.max(scheduled, asked ?? 0) * (1 + jitter / 5));
}

/**
 * What an attempt that ended with `reason` makes of the account.
 * @param unknowns how many attempts at it ended with an unknown error, this one included if it did
 */
export function stateAfter(reason: Reason, unknowns: number): AttemptResult['state'] {
  // Nothing failed: there was nothing to change (reference semantics §6.28).
  if (reason === 'no_own_password') return 'not_applicable';
  switch (errors[reason].retry) {
    case 'offline':
      return 'waiting';
    case 'unknown':
      return unknowns < UNKNOWN_ATTEMPTS ? 'waiting' : 'parked';
    default:
      return 'rejected';
  }
}
