import { errors, type Reason } from '../errors';
import type { AttemptResult } from './outcome';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * Waits before attempt 2, 3, …: the schedule of SailPoint (5 s, 1, 3, 10, 30, 90 min), then hourly until the change is
 * too old (72 h, as in PCNS). Source: reference semantics §2 `S:retry`, §7.
 */
const OFFLINE_WAITS_MS = [5 * SECOND, MINUTE, 3 * MINUTE, 10 * MINUTE, 30 * MINUTE, 90 * MINUTE];
const OFFLINE_THEN_MS = HOUR;

/** The longest wait that a source may ask for. A wrong header must not stop the attempts for longer than the schedule. */
const MOST_ASKED_MS = HOUR;

/** The wait when a moment is enough: an older change ends its step, or a doubtful write is looked up. */
const SHORT_WAIT_MS = 2 * SECOND;
/** After this many short waits for an account in use, the offline schedule applies: the other change may take hours. */
const SHORT_WAITS_IN_USE = 3;

/**
 * Attempts before unknown errors and failed verifications park the account (`max-operation-attempts` of Ping). Attempts
 * that an offline source took do not count (reference semantics §6.10).
 */
export const UNKNOWN_ATTEMPTS = 5;

/**
 * Milliseconds to wait before the next attempt.
 * @param attempts number of attempts made so far, 1 or more
 * @param retryAfterMs the wait that the source asked for; up to an hour of it is kept when it is longer than the schedule
 * @param jitter from 0 to 1; adds up to a fifth of the wait, so that many waiting accounts do not come back at once
 */
export function waitMs(
  reason: Reason,
  attempts: number,
  retryAfterMs: number | null,
  jitter: number,
): number {
  if (reason === 'others_first') return 0;
  const step = reason === 'account_in_use' ? attempts - SHORT_WAITS_IN_USE : attempts;
  const short = step < 1 || (reason === 'in_doubt' && attempts === 1);
  const scheduled = short ? SHORT_WAIT_MS : (OFFLINE_WAITS_MS[step - 1] ?? OFFLINE_THEN_MS);
  return Math.round(
    Math.max(scheduled, Math.min(retryAfterMs ?? 0, MOST_ASKED_MS)) * (1 + jitter / 5),
  );
}

/**
 * The state of an account after an attempt that ended with `reason`.
 * @param unknowns number of attempts that ended with an unknown error, this one included if it did
 */
export function stateAfter(reason: Reason, unknowns: number): AttemptResult['state'] {
  // An account without a password of its own did not fail: there was nothing to change (reference semantics §6.28).
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
