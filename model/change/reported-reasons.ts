import type { CodeOf } from '../errors';
import { notedProblems } from '../people/links';

/** The reasons that a program of a customer may report. Those that only Lockstep can find are missing. */

export const reportedOffline = [
  'unreachable',
  'busy',
  'throttled',
  'account_locked',
  'certificate_refused',
  'service_credential_refused',
] as const satisfies readonly CodeOf<'offline'>[];

export const reportedRejections = [
  'policy',
  'policy_too_short',
  'policy_too_long',
  'policy_quality',
  'policy_history',
  'policy_too_young',
  'old_password_refused',
  'character_not_supported',
  ...notedProblems,
  'account_disabled',
  'no_own_password',
  'no_rights',
  'not_supported',
  'read_only',
] as const satisfies readonly CodeOf<'rejected'>[];
