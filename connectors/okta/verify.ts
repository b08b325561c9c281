import { z } from 'zod';
import type { Secret } from '../../model/passwords/secret';
import type { VerifyAnswer } from '../contract';
import { type Classify, nullIf } from '../http/answers';
import type { Api } from '../http/api';
import { json } from '../http/success';
import { classify } from './errors';
import { hasOwnPassword, stateOf, type User } from './users';

/**
 * States of a sign-in in which Okta has accepted the password, although it may request a factor or a new password next.
 * Source: Okta Authentication API, transaction state.
 */
const ACCEPTED = [
  'SUCCESS',
  'PASSWORD_WARN',
  'PASSWORD_EXPIRED',
  'MFA_ENROLL',
  'MFA_ENROLL_ACTIVATE',
  'MFA_REQUIRED',
  'MFA_CHALLENGE',
] as const;

/** A sign-in of the user with this id. Okta shows the user only after it has accepted the password. */
const signInOf = (id: string) =>
  z.discriminatedUnion('status', [
    z.looseObject({
      status: z.enum(ACCEPTED),
      _embedded: z.looseObject({ user: z.looseObject({ id: z.literal(id) }) }),
    }),
    z.looseObject({ status: z.literal('LOCKED_OUT') }),
  ]);

const WRONG_PASSWORD = 'E0000004';

/** In a sign-in, this code is about the password of the user. */
const classifySignIn: Classify = (reply) => {
  const verdict = classify(reply);
  const isWrong = typeof verdict === 'object' && verdict?.vendorCode === WRONG_PASSWORD;
  return isWrong ? { ...verdict, reason: 'wrong_current_password' } : verdict;
};

/**
 * Verifies a password by a primary authentication. A session token in the reply is never used. Okta answers for a locked
 * user as for a wrong password, so the state of the user is looked at first.
 * @param anonymousApi the API without the service credential, because with it Okta would treat the request as a sign-in
 * by a trusted application
 */
export async function verifyByLogin(
  anonymousApi: Api,
  user: User,
  password: Secret,
  signal: AbortSignal,
): Promise<VerifyAnswer> {
  const { disabled, locked, mustChange } = stateOf(user);
  const vendorCode = user.status;
  if (disabled) return { result: 'inconclusive', reason: 'account_disabled', vendorCode };
  if (locked) return { result: 'inconclusive', reason: 'account_locked', vendorCode };
  if (!hasOwnPassword(user))
    return { result: 'inconclusive', reason: 'not_supported', vendorCode: 'no_own_password' };
  const content = {
    type: 'application/json',
    value: { username: user.profile.login, password },
  };
  const request = {
    method: 'POST',
    path: '/api/v1/authn',
    content,
    success: { 200: json(signInOf(user.id)) },
    classify: classifySignIn,
  } as const;
  const signIn = await nullIf('wrong_current_password', anonymousApi.ask(request, signal));
  if (signIn === null) return { result: 'differs', vendorCode: WRONG_PASSWORD };
  if (signIn.status === 'LOCKED_OUT')
    return { result: 'inconclusive', reason: 'account_locked', vendorCode: 'LOCKED_OUT' };
  return {
    result: 'holds',
    proof: 'login',
    ...(mustChange ? { signInPrevented: 'must_change_password' as const } : {}),
  };
}
