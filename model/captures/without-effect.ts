import type { ChangeState } from '../change/change';
import { type ErrorCode, errors, isErrorCode } from '../errors';
import { captureRules, type Declined } from './capture';

/**
 * A capture without effect: the person has changed the password of one account in its source, and the other accounts did
 * not get it. Either the capture was declined, or its change ended before any other account was written.
 */
export interface WithoutEffect {
  /** When the password was changed there. */
  readonly at: Date;
  readonly reason: NoEffectReason;
  /** The change of the capture; null when the capture was declined. */
  readonly changeId: string | null;
}

/** Why the capture was declined, why its change ended, or, where that has no reason, its state. */
export type NoEffectReason = Declined | ErrorCode | ChangeState;

/**
 * The reasons for which a declined capture leaves the account with a password of its own. The others do not show that:
 * an echo, a duplicate, a stale or an unconfirmed capture reports a password that the other accounts have, or that the
 * account does not hold. An operator decides about captures that are switched off or precede a startpoint, and a key
 * that may not capture must not be able to mark an account.
 */
const leavesDifferent = [
  'form_not_taken',
  'expired',
  'current_password_missing',
  'encoding_unknown',
  'unsupported_character',
  'password_against_policy',
  'group_needed',
  'no_group',
] as const satisfies readonly (Declined | ErrorCode)[];

/** True when the account of a capture that was declined for this reason now differs from the others of its person. */
export const leavesAccountDifferent = (reason: string): boolean =>
  leavesDifferent.some((one) => one === reason);

/** The sentence about the reason. */
export function noEffectSays(reason: NoEffectReason): string {
  if (Object.hasOwn(captureRules, reason)) return captureRules[reason as Declined].says;
  if (isErrorCode(reason)) return errors[reason].says;
  return `The change of the capture has ended as ${reason}, so no other account got the password.`;
}
