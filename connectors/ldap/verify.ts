import type { VerifyAnswer, VerifyRequest } from '../contract';
import type { AccountState, Dialect, ReadState } from './dialect';
import { newCall, type Pool } from './pool';
import { failureOf } from './read-refusals';

interface Resources {
  readonly dialect: Dialect;
  readonly readState: ReadState;
  readonly services: Pool;
  /** Links for the logins that verify passwords. They are reused, because a simple bind replaces the one before it. */
  readonly logins: Pool;
}

/**
 * Finds out whether the account holds the password: with one login, or without one if the server can compare passwords.
 * It reads the account first, because another one may have its name now. If the account is disabled or locked, a refused
 * login says nothing about the password.
 */
export async function verifyPassword(
  { dialect, readState, services, logins }: Resources,
  request: VerifyRequest,
): Promise<VerifyAnswer> {
  const call = newCall();
  const { account, password, form } = request;
  const { compareHash } = dialect;
  if (form !== 'plaintext')
    return compareHash === undefined
      ? { result: 'inconclusive', reason: 'not_supported', vendorCode: null }
      : services.use(call, (link) => compareHash(link, request));
  const { verify, loginExplainsRefusal } = dialect;
  const read = await services.use(call, async (link) => {
    const located = await readState(link, account);
    if (!located.ok || !located.value.found) return { located };
    const { dn } = located.value.entry;
    return { located, compared: verify && (await verify(link, dn, password)) };
  });
  const { located, compared = null } = read;
  if (!located.ok) return { ...failureOf(located), result: 'inconclusive' };
  if (!located.value.found)
    return { result: 'inconclusive', reason: located.value.problem, vendorCode: null };
  if (compared !== null) return compared;
  const { entry, state } = located.value;
  const answer = await logins.use(call, (link) => dialect.logIn(link, entry.dn, password));
  if (answer.result === 'holds' || loginExplainsRefusal) return answer;
  return blockedLogin(state) ?? answer;
}

function blockedLogin({ disabled, locked }: AccountState): VerifyAnswer | null {
  if (disabled) return { result: 'inconclusive', reason: 'account_disabled', vendorCode: null };
  if (locked) return { result: 'inconclusive', reason: 'account_locked', vendorCode: null };
  return null;
}
