import type { Reason } from '../../model/errors';
import type { Secret } from '../../model/passwords/secret';
import type { AccountRef, SetPasswordRequest, WriteAnswer } from '../contract';
import { asWriteAnswer, failureOf } from './answers';
import type { Api, ApiRequest } from './api';

/** What the success response to a write shows. */
export interface Written<User> {
  /** The account as the source names it now. Null if that is not known. */
  readonly account: AccountRef | null;
  /** The user after the write. Null if the response does not show all that is needed of the user. */
  readonly user: User | null;
}

/** The request that writes a password, and what may have to follow it. */
export interface PreparedWrite<User> {
  readonly request: (password: Secret) => ApiRequest<Written<User>>;
  /**
   * Finds out whether the account already has this password. Present for a vendor that rejects the current password
   * without a code of its own. A wrong password may count as a failed login.
   */
  readonly holds?: (password: Secret) => Promise<boolean>;
  /** Restores what the write has cleared, such as a forced change. @returns whether that succeeded */
  readonly restore?: (signal: AbortSignal) => Promise<boolean>;
}

/** Reasons for which a vendor may reject the current password. */
const MAY_BE_CURRENT: readonly Reason[] = ['policy', 'policy_history'];

export interface Sent<User> {
  readonly answer: WriteAnswer;
  /** The user after the write, if that is known. */
  readonly user: User | null;
}

/** Writes a password with the prepared request, then finds out or restores what the prepared write asks for. */
export async function write<User>(
  api: Api,
  prepared: PreparedWrite<User>,
  request: Pick<SetPasswordRequest, 'password'>,
  signal: AbortSignal,
): Promise<Sent<User>> {
  const { holds, restore } = prepared;
  const sent = await send(api, prepared, request, signal);
  const { answer } = sent;
  if (answer.result === 'rejected' && holds !== undefined && MAY_BE_CURRENT.includes(answer.reason))
    return (await orNull(holds(request.password))) === true
      ? { answer: { result: 'already_current' }, user: null }
      : sent;
  const mayBeDone = answer.result === 'applied' || answer.result === 'ambiguous';
  for (let attempt = 0; mayBeDone && restore !== undefined && attempt < ATTEMPTS; attempt++)
    if ((await orNull(restore(signal))) === true) break;
  // The response is older than what has been restored.
  return restore === undefined ? sent : { ...sent, user: null };
}

/** Number of attempts to restore what a write has cleared. */
const ATTEMPTS = 2;

/** Returns null if the request failed. */
async function orNull<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    failureOf(error);
    return null;
  }
}

async function send<User>(
  api: Api,
  { request }: PreparedWrite<User>,
  { password }: Pick<SetPasswordRequest, 'password'>,
  signal: AbortSignal,
): Promise<Sent<User>> {
  try {
    const { account, user } = await api.ask(request(password), signal);
    return { answer: { result: 'applied', ...(account !== null && { account }) }, user };
  } catch (error) {
    return { answer: asWriteAnswer(failureOf(error), true), user: null };
  }
}
