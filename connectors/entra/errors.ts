import { z } from 'zod';
import type { Classify, Verdict } from '../http/answers';

const errorShape = z.looseObject({
  error: z.looseObject({ code: z.string(), message: z.string().default('') }),
});

/** Meanings of error codes. Source: Microsoft Graph, error responses; codes with a prefix come from Entra ID itself. */
const codes: Readonly<Record<string, Verdict['reason']>> = {
  Authorization_RequestDenied: 'no_rights',
  Authentication_ExpiredToken: 'service_credential_refused',
  Directory_ConcurrencyViolation: 'account_in_use',
  Directory_QuotaExceeded: 'not_supported',
  InvalidAuthenticationToken: 'service_credential_refused',
  Request_BadRequest: 'unknown',
  Request_ResourceNotFound: 'no_account',
  Request_UnsupportedQuery: 'not_supported',
  TooManyRequests: 'throttled',
};

/** Texts that show what a bad request is about, because its code does not. The text is classified here and dropped. */
const texts: readonly (readonly [text: RegExp, reason: Verdict['reason']])[] = [
  [/on-premises mastered/i, 'no_own_password'],
  [/federated/i, 'no_own_password'],
  [/password.*(comply|complexity|banned|commonly|weak|requirement)/i, 'policy'],
];

/** Translates an error of Microsoft Graph. */
export const classify: Classify = ({ json }) => {
  const error = errorShape.safeParse(json).data?.error;
  if (error === undefined) return null;
  const match = Object.entries(codes).find(([code]) => code === error.code);
  if (match === undefined) return 'other';
  const [vendorCode, reason] = match;
  if (vendorCode !== 'Request_BadRequest') return { reason, vendorCode };
  const meaning = texts.find(([text]) => text.test(error.message))?.[1];
  return { reason: meaning ?? reason, vendorCode };
};
