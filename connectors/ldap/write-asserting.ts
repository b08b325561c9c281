import { AndFilter, type Filter, NotFilter } from 'ldapts';
import type { AccountRef } from '../contract';
import { type Accounts, accountFilter } from './accounts';
import { AssertionControl, PasswordPolicyControl, PostReadControl } from './controls';
import { answerOf, named, replyOrNull, sendModify } from './requests';
import { type Attempted, bytesOf, classifierFor, nothingToRestore, type Writing } from './writing';

export const CRITICAL_CONTROL_UNKNOWN = 12;
/**
 * Result codes of a write with an assertion after which the account must be read first: the assertion is false, the
 * server does not support assertions, or no entry has this name (the account may have been renamed, or spelled otherwise).
 */
const READ_FIRST = new Set([122, CRITICAL_CONTROL_UNKNOWN, 32, 34]);

/** Writes with an assertion that nothing would be cleared. @returns a result code if the account must be read first */
export async function modifyAsserting(
  writing: Writing,
  clearsAny: Filter,
): Promise<Attempted | number> {
  const { link, request, accounts, settings, vendor } = writing;
  const { account, password } = request;
  const policy = new PasswordPolicyControl();
  const after = new PostReadControl(vendor.forced?.attribute ?? '1.1');
  const assertion = new AssertionControl(isStill(account, accounts, clearsAny));
  const controls = [policy, after, assertion];
  const value = bytesOf(password);
  const reply = await replyOrNull(
    sendModify(link, account.name, settings.passwordAttribute, value, [], controls),
  );
  if (reply?.ok === false && READ_FIRST.has(reply.code)) return reply.code;
  const answer = answerOf(reply, classifierFor(vendor, policy));
  return {
    ...nothingToRestore(request, vendor),
    answer: named(answer, account),
    mayForceChange: reply === null || after.values.some((value) => value === vendor.forced?.value),
  };
}

/** Matches the entry if it is the account. @param clearsAny matches entries from which a new password would clear a value */
export function isStill(
  { nativeId }: AccountRef,
  { ids, settings }: Accounts,
  clearsAny: Filter | null,
): Filter {
  const isThis = nativeId === null ? null : ids.filterFor(nativeId);
  return new AndFilter({
    filters: [
      accountFilter(settings),
      ...(clearsAny === null ? [] : [new NotFilter({ filter: clearsAny })]),
      ...(isThis === null ? [] : [isThis]),
    ],
  });
}
