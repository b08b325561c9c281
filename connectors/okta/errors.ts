import { z } from 'zod';
import type { Classify, Verdict } from '../http/answers';

const errorShape = z.looseObject({
  // Strict, so that a password which an error repeats cannot pass as a code.
  errorCode: z.string().regex(/^E\d{7}$/),
  errorCauses: z.array(z.looseObject({ errorSummary: z.string().default('') })).default([]),
});

/**
 * Meanings of `errorCode`. The HTTP status does not suffice: 403 means a lack of rights as well as a weak password.
 * Source: Okta error codes. E0000014, for a password that an administrator sets against the policy, is known from user
 * reports only.
 */
const codes: Readonly<Record<string, Verdict['reason']>> = {
  E0000004: 'service_credential_refused',
  E0000005: 'service_credential_refused', // invalid session
  E0000006: 'no_rights',
  E0000007: 'no_account',
  E0000008: 'no_account',
  E0000010: 'busy', // read-only mode
  E0000011: 'service_credential_refused', // invalid token
  E0000014: 'policy',
  E0000015: 'not_supported', // a feature that is switched off
  E0000022: 'not_supported', // method not allowed
  E0000038: 'account_disabled', // not in this status
  E0000047: 'throttled',
  E0000080: 'policy_quality',
};

/** Validation failed. Only the causes show for which attribute. */
const INVALID = 'E0000001';

/** Translates an error of Okta. Null for a reply that has not the shape of one. */
export const classify: Classify = ({ json }) => {
  const error = errorShape.safeParse(json).data;
  if (error === undefined) return null;
  const { errorCode, errorCauses } = error;
  const ofPassword = errorCauses.some(({ errorSummary }) => /^password\b/i.test(errorSummary));
  const reason = errorCode === INVALID && ofPassword ? 'policy' : codes[errorCode];
  return { reason: reason ?? 'unknown', vendorCode: errorCode };
};
