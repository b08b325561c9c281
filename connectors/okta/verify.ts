import { z } from 'zod';
import type { VerifyAnswer, VerifyRequest } from '../contract';
import { asInconclusive, failureOfReply } from '../http/answers';
import type { Api } from '../http/api';
import { classify } from './errors';
import { hasOwnPassword, stateOf, userOf } from './users';

const answerShape = z.looseObject({ status: z.string() });

const WRONG_PASSWORD = 'E0000004';

/**
 * Verifies a password by a primary authentication. A session token in the reply is never used. Okta answers for a locked
 * user as for a wrong password, so the state of the user is read first.
 * @param anonymousApi the API without the service credential, because with it Okta would treat the request as a sign-in
 * by a trusted application
 */
export async function verifyByLogin(
  api: Api,
  anonymousApi: Api,
  { account, password }: VerifyRequest,
  signal: AbortSignal,
): Promise<VerifyAnswer> {
  const user = await userOf(api, account, signal);
  if (user === null) return { result: 'inconclusive', reason: 'no_account', vendorCode: null };
  const { disabled, locked } = stateOf(user);
  const vendorCode = user.status;
  if (disabled) return { result: 'inconclusive', reason: 'account_disabled', vendorCode };
  if (locked) return { result: 'inconclusive', reason: 'account_locked', vendorCode };
  if (!hasOwnPassword(user))
    return { result: 'inconclusive', reason: 'not_supported', vendorCode: 'no_own_password' };
  const content = {
    type: 'application/json',
    value: { username: user.profile.login, password },
  };
  const reply = await anonymousApi.ask({ method: 'POST', path: '/api/v1/authn', content }, signal);
  if (reply.status === 200) {
    const status = answerShape.safeParse(reply.json).data?.status;
    // Any other status, such as a request for a factor or a new password, means that Okta has accepted the password.
    if (status !== undefined && status !== 'LOCKED_OUT') return { result: 'holds', proof: 'login' };
    return { result: 'inconclusive', reason: 'account_locked', vendorCode: 'LOCKED_OUT' };
  }
  const failure = failureOfReply(reply, classify);
  if (failure.vendorCode === WRONG_PASSWORD)
    return { result: 'differs', vendorCode: WRONG_PASSWORD };
  return asInconclusive(failure);
}
