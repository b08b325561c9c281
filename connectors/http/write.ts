import type { Reason } from '../../model/errors';
import type { Secret } from '../../model/passwords/secret';
import type { SetPasswordRequest, WriteAnswer } from '../contract';
import { asWriteAnswer, type Classify, failureOf, failureOfReply } from './answers';
import type { Api, ApiRequest } from './api';
import type { HttpReply } from './client';

/** These vendors take plaintext only, which the registry sees to. */
type Wanted = Pick<SetPasswordRequest, 'account' | 'password'>;

/** The one request that writes, and what may have to follow it. */
export interface PreparedWrite {
  readonly request: (password: Secret) => ApiRequest;
  /** How the source calls the account now, as far as the reply tells. */
  readonly nameIn: (reply: HttpReply) => string | null;
  /**
   * Whether the account has this password already, for a vendor that refuses it then without saying so. It may cost a
   * failed login.
   */
  readonly holds?: (password: Secret) => Promise<boolean>;
  /** Gives back what the write takes away. @returns whether it is done */
  readonly restore?: (signal: AbortSignal) => Promise<boolean>;
}

interface Writer {
  readonly api: Api;
  /** What the refusal of a write means. */
  readonly classifyWrite: Classify;
}

export const NO_ACCOUNT: WriteAnswer = {
  result: 'rejected',
  reason: 'no_account',
  vendorCode: null,
};

/** A password that the account has already may be refused for these. */
const MAY_BE_CURRENT: readonly Reason[] = ['policy', 'policy_history'];

export async function write(
  writer: Writer,
  prepared: PreparedWrite,
  request: Wanted,
  signal: AbortSignal,
): Promise<WriteAnswer> {
  const { holds, restore } = prepared;
  const answer = await send(writer, prepared, request, signal);
  if (answer.result === 'rejected' && holds !== undefined && MAY_BE_CURRENT.includes(answer.reason))
    return (await heard(holds(request.password))) === true ? { result: 'already_current' } : answer;
  const mayBeDone = answer.result === 'applied' || answer.result === 'ambiguous';
  for (let tries = 0; mayBeDone && restore !== undefined && tries < TRIES; tries++)
    if ((await heard(restore(signal))) === true) break;
  return answer;
}

/** Tries for what has to follow a write. */
const TRIES = 2;

/** Null when it did not come through. */
async function heard<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    failureOf(error);
    return null;
  }
}

/** Only these say that it is done: 202, for one, says that it may be. */
const DONE = [200, 204];

async function send(
  { api, classifyWrite }: Writer,
  { request, nameIn }: PreparedWrite,
  { account, password }: Wanted,
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
