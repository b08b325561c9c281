import { obstacleIn } from '../../model/change/sign-in-prevented';
import { isSameId } from '../../model/people/naming';
import type { AccountRef, SetPasswordRequest, WriteAnswer } from '../contract';
import { asWriteAnswer, failureOf } from './answers';
import { linkedUser } from './linked-user';
import type { Vendor } from './vendor';
import { type PreparedWrite, type Sent, write } from './write';

/**
 * Writes a password to the user that the link means. The user is read first, unless the API writes by a lasting id alone.
 */
export async function setPassword<User>(
  vendor: Vendor<User>,
  request: SetPasswordRequest,
  signal: AbortSignal,
): Promise<Sent<User>> {
  try {
    const byId = await preparedById(vendor, request.account, signal);
    const sent = byId === null ? null : await write(vendor.api, byId, request, signal);
    // If there is no such user, a read shows whether another one has the name of the link now.
    if (sent !== null && !hasNoAccount(sent.answer))
      return await withObstacle(vendor, sent, signal);
    return await readThenWrite(vendor, request, signal);
  } catch (error) {
    return unsent(asWriteAnswer(failureOf(error), false));
  }
}

const unsent = (answer: WriteAnswer): Sent<never> => ({ answer, user: null });

const hasNoAccount = (answer: WriteAnswer): boolean =>
  answer.result === 'rejected' && answer.reason === 'no_account';

/** Returns the write by the id of the link. Null if the API has none, or if the id alone does not show which user is meant. */
async function preparedById<User>(
  { naming, ownId, prepareById }: Vendor<User>,
  { nativeId }: AccountRef,
  signal: AbortSignal,
): Promise<PreparedWrite<User> | null> {
  if (prepareById === undefined || nativeId === null || !naming.isLasting(nativeId)) return null;
  const own = await ownId(signal);
  return own !== null && isSameId(naming, own, nativeId) ? null : prepareById(nativeId);
}

async function readThenWrite<User>(
  vendor: Vendor<User>,
  request: SetPasswordRequest,
  signal: AbortSignal,
): Promise<Sent<User>> {
  const linked = await linkedUser(vendor, request.account, signal);
  if ('problem' in linked)
    return unsent({ result: 'rejected', reason: linked.problem, vendorCode: null });
  const prepared = await vendor.prepare(linked.user, request, signal);
  if ('result' in prepared) return unsent(prepared);
  const sent = await write(vendor.api, prepared, request, signal);
  return withObstacle(
    vendor,
    { ...sent, user: sent.user ?? userBefore(prepared, linked.user) },
    signal,
  );
}

/** A write changes nothing that was read of the user before, unless it restores something. */
const userBefore = <User>({ restore }: PreparedWrite<User>, user: User): User | null =>
  restore === undefined ? user : null;

/** Adds what keeps the person from signing in, where no verification follows that shows it. */
async function withObstacle<User>(
  vendor: Vendor<User>,
  sent: Sent<User>,
  signal: AbortSignal,
): Promise<Sent<User>> {
  const { answer, user } = sent;
  if (answer.result !== 'applied' || user === null || vendor.verify !== null) return sent;
  const signInPrevented = obstacleIn(await vendor.state(user, signal));
  return { ...sent, answer: { ...answer, signInPrevented } };
}
