import { type ErrorCode, errors, isErrorCode, pausedSays, waitingSays } from '../errors';
import type { PasswordFilter } from '../policy/password-filter';
import type { PolicyRules } from '../policy/presets';
import { limitsSay } from '../policy/target-limits';
import { couldBreak, type TargetPolicy } from '../policy/target-policy';
import type { OutcomeState } from './outcome';
import { type LeaveOutCode, leaveOutSays } from './plan';
import { isSignInObstacle, type SignInObstacle } from './sign-in-prevented';

/** The reason of one outcome, as it is stored. */
export type OutcomeReason = ErrorCode | LeaveOutCode | SignInObstacle;

/** The stored reason of an outcome, as two facts: about the password, and about the sign-in of the person. */
export interface OutcomeFacts {
  /**
   * Why the account does not hold the new password, why a rule left it out, or, for an account that holds it, why that
   * is not verified.
   */
  readonly reason: ErrorCode | LeaveOutCode | null;
  /** What keeps the person from signing in, although the account holds the new password; null when nothing is known. */
  readonly signInPrevented: SignInObstacle | null;
}

/** Splits the stored reason of an outcome. Only an applied account has an obstacle: see `write-and-verify.ts`. */
export function factsOf(state: OutcomeState, stored: OutcomeReason | null): OutcomeFacts {
  if (state === 'applied' && isSignInObstacle(stored))
    return { reason: null, signInPrevented: stored };
  return { reason: stored === 'must_change_password' ? null : stored, signInPrevented: null };
}

/** Where an outcome belongs, and which password policies its source has shown. */
export interface ReasonContext {
  readonly source: string;
  readonly sourcePolicies: readonly TargetPolicy[] | null;
  /** The filters that an account of the source may have; null for none. */
  readonly filters: readonly (PasswordFilter | null)[];
  /** The policies of the groups of the change that the password satisfies; empty for a hash, which none can check. */
  readonly satisfied: readonly PolicyRules[];
  /** Who has paused the source; null if it is not paused, or the key is gone. */
  readonly pausedBy: string | null;
}

/**
 * The sentences about the reason of an outcome. Only for an account that waits do they promise another attempt. A refusal
 * by a policy names the limits of the source, as far as they are known and explain it.
 */
export function reasonSays(
  state: OutcomeState,
  reason: ErrorCode | LeaveOutCode,
  { source, sourcePolicies, filters, satisfied, pausedBy }: ReasonContext,
): string {
  if (!isErrorCode(reason)) return leaveOutSays[reason];
  const known = sourcePolicies ?? [];
  const couldBreakOne: ReturnType<typeof couldBreak> = (limit, policy) =>
    filters.some((filter) => couldBreak(satisfied, filter)(limit, policy));
  const limits = limitsSay(reason, source, known, couldBreakOne);
  if (limits !== null) return `${errors[reason].says} ${limits}`;
  if (state === 'waiting')
    return reason === 'source_paused' ? pausedSays(pausedBy) : waitingSays(reason);
  return state === 'applied'
    ? `The source accepted the password, but no login could verify it. ${errors[reason].says}`
    : errors[reason].says;
}
