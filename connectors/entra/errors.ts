import { z } from 'zod';
import type { Classify, Verdict } from '../http/answers';

const errorShape = z.looseObject({
  error: z.looseObject({ code: z.string(), message: z.string().default('') }),
});

/** Source: Microsoft Graph, error responses; the codes of the directory are of Entra ID itself. */
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

/** What a bad request is about, only its text says. It is looked at here and goes no further. */
const texts: readonly (readonly [text: RegExp, reason: Verdict['reason']])[] = [
  [/on-premises mastered/i, 'no_own_password'],
  [/federated/i, 'no_own_password'],
  [/password.*(comply|complexity|banned|commonly|weak|requirement)/i, 'policy'],
];

export const classify: Classify = ({ json }) => {
  const error = errorShape.safeParse(json).data?.error;
  const known = Object.entries(codes).find(([code]) => code === error?.code);
  if (error === undefined || known === undefined) return null;
  const [vendorCode, reason] = known;
  if (vendorCode !== 'Request_BadRequest') return { reason, vendorCode };
  const told = texts.find(([text]) => text.test(error.message))?.[1];
  return { reason: told ?? reason, vendorCode };
};
