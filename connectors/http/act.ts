import type { CodeOf } from '../../model/errors';
import type { ActAnswer, ActRequest } from '../contract';
import { failureOf } from './answers';
import { linkedUser } from './linked-user';
import type { ActFailure, Vendor } from './vendor';

/** Unlocks the user that the link means, or forces a change, unless that is in force already. */
export async function act<User>(
  vendor: Vendor<User>,
  { account, action }: ActRequest,
  signal: AbortSignal,
): Promise<ActAnswer> {
  const carryOut = vendor.actions?.[action];
  if (carryOut === undefined) return actFailure('not_supported');
  try {
    const linked = await linkedUser(vendor, account, signal);
    if ('problem' in linked) return actFailure(linked.problem);
    const { user } = linked;
    const { locked, disabled, mustChange } = await vendor.state(user, signal);
    if (action === 'unlock' && !locked && disabled) return actFailure('account_disabled');
    const isInForce = action === 'unlock' ? !locked : mustChange;
    const failed = isInForce ? null : await carryOut(user, signal);
    return failed ?? { result: isInForce ? 'already' : 'done', account: vendor.refOf(user) };
  } catch (error) {
    const { reason, vendorCode, retryAfterMs } = failureOf(error);
    const wait = retryAfterMs === null ? {} : { retryAfterMs };
    return { result: 'failed', reason, vendorCode, ...wait };
  }
}

export const actFailure = (
  reason: CodeOf<'offline' | 'unknown' | 'rejected'>,
  vendorCode: string | null = null,
): ActFailure => ({ result: 'failed', reason, vendorCode });
