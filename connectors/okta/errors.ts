import { z } from 'zod';
import type { Classify, Verdict } from '../http/answers';

const errorShape = z.looseObject({
  // The shape of a code: nothing that an error says may be a password.
  errorCode: z.string().regex(/^E\d{7}$/),
  errorCauses: z.array(z.looseObject({ errorSummary: z.string().default('') })).default([]),
});

/**
 * By `errorCode`, not by status: 403 is a lack of rights as well as a weak password. Source: Okta error codes; that
 * E0000014 is what an administrator gets for a password against the policy is from reports, not from the reference.
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

/** Validation failed: of which attribute, only the causes say. */
const INVALID = 'E0000001';

export const classify: Classify = ({ json }) => {
  const error = errorShape.safeParse(json).data;
  if (error === undefined) return null;
  const { errorCode, errorCauses } = error;
  const ofPassword = errorCauses.some(({ errorSummary }) => /^password\b/i.test(errorSummary));
  const reason = errorCode === INVALID && ofPassword ? 'policy' : codes[errorCode];
  return { reason: reason ?? 'unknown', vendorCode: errorCode };
};
