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
 * After a refused login it reads the account. If the account was renamed, the first login reached no account, so a
 * second one uses the new name. If the account is disabled or locked, the refusal says nothing about the password.
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
  let explained = dialect.loginExplainsRefusal;
  const holds = async (dn: string): Promise<VerifyAnswer> => {
    const { verify } = dialect;
    const answer = verify && (await services.use(call, (link) => verify(link, dn, password)));
    if (answer) explained = true;
    return answer ?? logins.use(call, (link) => dialect.logIn(link, dn, password));
  };
  const first = await holds(account.name);
  if (first.result === 'holds') return first;
  const located = await services.use(call, (link) => readState(link, account));
  if (!located.ok) return { ...failureOf(located), result: 'inconclusive' };
  if (located.value === null)
    return { result: 'inconclusive', reason: 'no_account', vendorCode: null };
  const { moved, entry, state } = located.value;
  const verdict = moved ? await holds(entry.dn) : first;
  if (verdict.result === 'holds' || explained) return verdict;
  return blockedLogin(state) ?? verdict;
}

function blockedLogin({ disabled, locked }: AccountState): VerifyAnswer | null {
  if (disabled) return { result: 'inconclusive', reason: 'account_disabled', vendorCode: null };
  if (locked) return { result: 'inconclusive', reason: 'account_locked', vendorCode: null };
  return null;
}
