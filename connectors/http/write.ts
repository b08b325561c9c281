import type { Reason } from '../../model/errors';
import type { Secret } from '../../model/passwords/secret';
import type { SetPasswordRequest, WriteAnswer } from '../contract';
import { asWriteAnswer, type Classify, failureOf, failureOfReply } from './answers';
import type { Api, ApiRequest } from './api';
import type { HttpReply } from './client';

/** The parts of a request that a write over HTTP uses. The form is already decided when the write is prepared. */
type WriteRequest = Pick<SetPasswordRequest, 'account' | 'password'>;

/** The request that writes a password, and what may have to follow it. */
export interface PreparedWrite {
  readonly request: (password: Secret) => ApiRequest;
  /** Returns the current name of the account, or null if the reply does not contain it. */
  readonly nameIn: (reply: HttpReply) => string | null;
  /**
   * Finds out whether the account already has this password. Present for a vendor that rejects the current password
   * without a code of its own. A wrong password may count as a failed login.
   */
  readonly holds?: (password: Secret) => Promise<boolean>;
  /** Restores what the write has cleared, such as a forced change. @returns whether that succeeded */
  readonly restore?: (signal: AbortSignal) => Promise<boolean>;
}

interface Writer {
  readonly api: Api;
  /** Translates the refusal of a write. */
  readonly classifyWrite: Classify;
}

export const NO_ACCOUNT: WriteAnswer = {
  result: 'rejected',
  reason: 'no_account',
  vendorCode: null,
};

/** Reasons for which a vendor may reject the current password. */
const MAY_BE_CURRENT: readonly Reason[] = ['policy', 'policy_history'];

/** Writes a password with the prepared request, then finds out or restores what the prepared write asks for. */
export async function write(
  writer: Writer,
  prepared: PreparedWrite,
  request: WriteRequest,
  signal: AbortSignal,
): Promise<WriteAnswer> {
  const { holds, restore } = prepared;
  const answer = await send(writer, prepared, request, signal);
  if (answer.result === 'rejected' && holds !== undefined && MAY_BE_CURRENT.includes(answer.reason))
    return (await orNull(holds(request.password))) === true
      ? { result: 'already_current' }
      : answer;
  const mayBeDone = answer.result === 'applied' || answer.result === 'ambiguous';
  for (let attempt = 0; mayBeDone && restore !== undefined && attempt < ATTEMPTS; attempt++)
    if ((await orNull(restore(signal))) === true) break;
  return answer;
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

/** Statuses that mean that the write is done. 202, for example, means only that it may be done later. */
const DONE = [200, 204];

async function send(
  { api, classifyWrite }: Writer,
  { request, nameIn }: PreparedWrite,
  { account, password }: WriteRequest,
  signal: AbortSignal,
): Promise<WriteAnswer> {
  try {
    const reply = await api.ask(request(password), signal);
    if (!DONE.includes(reply.status))
      return asWriteAnswer(failureOfReply(reply, classifyWrite), true);
    const name = nameIn(reply);
    const moved = name !== null && name !== account.name;
    return { result: 'applied', ...(moved && { movedTo: name }) };
  } catch (error) {
    return asWriteAnswer(failureOf(error), true);
  }
}
