import type { Reason } from '../../model/errors';
import type { Secret } from '../../model/passwords/secret';
import type { AccountRef, SetPasswordRequest, WriteAnswer } from '../contract';
import { asWriteAnswer, failureOf } from './answers';
import type { Api, ApiRequest } from './api';

/** The request that writes a password, and what may have to follow it. */
export interface PreparedWrite {
  /** The value of its success response is the account as the source names it now. Null if that is not known. */
  readonly request: (password: Secret) => ApiRequest<AccountRef | null>;
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

/** Writes a password with the prepared request, then finds out or restores what the prepared write asks for. */
export async function write(
  api: Api,
  prepared: PreparedWrite,
  request: Pick<SetPasswordRequest, 'password'>,
  signal: AbortSignal,
): Promise<WriteAnswer> {
  const { holds, restore } = prepared;
  const answer = await send(api, prepared, request, signal);
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

async function send(
  api: Api,
  { request }: PreparedWrite,
  { password }: Pick<SetPasswordRequest, 'password'>,
  signal: AbortSignal,
): Promise<WriteAnswer> {
  try {
    const now = await api.ask(request(password), signal);
    return { result: 'applied', ...(now !== null && { account: now }) };
  } catch (error) {
    return asWriteAnswer(failureOf(error), true);
  }
}
