import type { OutcomeState } from '../../model/change/outcome';
import type { LeaveOutCode } from '../../model/change/plan';
import { isSignInObstacle, type SignInObstacle } from '../../model/change/sign-in-prevented';
import type { Reason } from '../../model/errors';

/** What a person needs to know about an account. Many reasons that an operator tells apart are one to the person. */
export type PersonReason =
  | 'away'
  | 'paused'
  | 'maintenance'
  | 'operators'
  | 'turn'
  | 'parked'
  | 'locked'
  | 'lockedOut'
  | 'checking'
  | 'othersFirst'
  | 'tooShort'
  | 'tooLong'
  | 'tooSimple'
  | 'usedBefore'
  | 'tooYoung'
  | 'notAllowed'
  | 'character'
  | 'noAccount'
  | 'helpDesk'
  | 'disabled'
  | 'noOwnPassword'
  | 'wrongCurrent'
  | 'blocked'
  | 'notProved'
  | 'expired'
  | 'switchedOff'
  | 'notPrimary'
  | 'mustChange'
  | 'already'
  | 'notTried';

export type ShownReason = Reason | LeaveOutCode | SignInObstacle;

/** The sentence for each reason. The compiler finds a reason without one. */
export const personReasons: Readonly<Record<ShownReason, PersonReason>> = {
  unreachable: 'away',
  busy: 'away',
  adapter_unreachable: 'away',
  adapter_not_receiving: 'away',
  throttled: 'away',
  account_locked: 'locked',
  certificate_refused: 'operators',
  service_credential_refused: 'operators',
  source_paused: 'paused',
  source_in_maintenance: 'maintenance',
  source_at_limit: 'turn',
  key_store_unavailable: 'operators',
  in_doubt: 'checking',
  awaiting_acknowledgement: 'checking',
  account_in_use: 'checking',
  others_first: 'othersFirst',
  policy_too_short: 'tooShort',
  policy_too_long: 'tooLong',
  policy_quality: 'tooSimple',
  policy_history: 'usedBefore',
  policy_too_young: 'tooYoung',
  policy: 'notAllowed',
  character_not_supported: 'character',
  no_account: 'noAccount',
  account_replaced: 'helpDesk',
  account_renamed: 'helpDesk',
  capture_of_another_account: 'helpDesk',
  service_account: 'helpDesk',
  linked_twice: 'helpDesk',
  several_accounts: 'helpDesk',
  several_people: 'helpDesk',
  account_disabled: 'disabled',
  no_own_password: 'noOwnPassword',
  no_rights: 'helpDesk',
  wrong_current_password: 'wrongCurrent',
  old_password_not_stored: 'helpDesk',
  wrong_old_password: 'wrongCurrent',
  old_password_refused: 'helpDesk',
  mapping_conflict: 'helpDesk',
  mapping_not_in_use: 'helpDesk',
  filter_conflict: 'helpDesk',
  current_password_blocked: 'blocked',
  encoding_not_supported: 'helpDesk',
  not_supported: 'helpDesk',
  read_only: 'helpDesk',
  not_proved: 'notProved',
  unknown: 'helpDesk',
  lockstep_failed: 'helpDesk',
  not_acknowledged: 'helpDesk',
  adapter_offline: 'helpDesk',
  too_old: 'expired',
  no_auth_account: 'helpDesk',
  no_longer_authorized: 'helpDesk',
  source_disabled: 'switchedOff',
  adapter_disabled: 'switchedOff',
  sync_to_adapter_off: 'switchedOff',
  windows_to_adapters_off: 'switchedOff',
  not_mapped: 'switchedOff',
  mapping_disabled: 'switchedOff',
  application_disabled: 'switchedOff',
  not_primary: 'notPrimary',
  must_change_password: 'mustChange',
  origin: 'already',
  already_held: 'already',
  no_account_found: 'noAccount',
  unlinked: 'noAccount',
  auth_unchanged: 'notTried',
  others_unchanged: 'notTried',
  source_removed: 'switchedOff',
};

/** The sentence for an account that holds the new password, but with which the person cannot sign in. */
const obstacles: Readonly<Record<SignInObstacle, PersonReason>> = {
  account_disabled: 'disabled',
  account_locked: 'lockedOut',
  must_change_password: 'mustChange',
};

export const personObstacle = (code: string | null): PersonReason | null =>
  isSignInObstacle(code) ? obstacles[code] : personReason(code);

/** Why an account of a change that has not ended does not hold the new password; null if nothing keeps it. */
export const openReason = (state: OutcomeState, reason: string | null): PersonReason | null =>
  state === 'parked' ? 'parked' : personReason(reason);

/** The sentence key of a reason that may come from a newer release. */
export const personReason = (reason: string | null): PersonReason | null =>
  reason === null
    ? null
    : Object.hasOwn(personReasons, reason)
      ? personReasons[reason as ShownReason]
      : 'helpDesk';
