import type { Secret } from '../../model/passwords/secret';
import { isSameName } from '../../model/people/naming';
import type { VerifyAnswer, VerifyRequest } from '../contract';
import type { AccountState, Dialect, ReadState } from './dialect';
import { type Call, newCall, type Pool } from './pool';
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
 * It reads the account first, because another one may have its name now. Right after a write it does so only if the
 * password is not confirmed. If the account is disabled or locked, a refused login says nothing about the password.
 */
export async function verifyPassword(
  { dialect, readState, services, logins }: Resources,
  request: VerifyRequest,
): Promise<VerifyAnswer> {
  const call = newCall();
  const { account, password, form, written } = request;
  const { compareHash } = dialect;
  if (form !== 'plaintext')
    return compareHash === undefined
      ? { result: 'inconclusive', reason: 'not_supported', vendorCode: null }
      : services.use(call, (link) => compareHash(link, request));
  const ask = (dn: string) => verifyAt({ dialect, services, logins }, call, dn, password);
  const first = written === undefined ? null : await ask(written.name);
  if (first?.answer.result === 'holds') return first.answer;
  const located = await services.use(call, (link) => readState(link, account));
  if (!located.ok) return { ...failureOf(located), result: 'inconclusive' };
  if (!located.value.found)
    return { result: 'inconclusive', reason: located.value.problem, vendorCode: null };
  const { account: now, entry, state } = located.value;
  const isSame =
    written !== undefined && isSameName(dialect.accounts.naming, now.name, written.name);
  const { answer, isFinal } = first !== null && isSame ? first : await ask(entry.dn);
  return isFinal || answer.result === 'holds' ? answer : (blockedLogin(state) ?? answer);
}

/** Asks the server about the password of one entry. `isFinal` if the state of the account would not explain the answer. */
async function verifyAt(
  { dialect, services, logins }: Pick<Resources, 'dialect' | 'services' | 'logins'>,
  call: Call,
  dn: string,
  password: Secret,
): Promise<{ readonly answer: VerifyAnswer; readonly isFinal: boolean }> {
  const { verify, loginExplainsRefusal } = dialect;
  const compared = verify && (await services.use(call, (link) => verify(link, dn, password)));
  if (compared) return { answer: compared, isFinal: true };
  const answer = await logins.use(call, (link) => dialect.logIn(link, dn, password));
  return { answer, isFinal: loginExplainsRefusal };
}

function blockedLogin({ disabled, locked }: AccountState): VerifyAnswer | null {
  if (disabled) return { result: 'inconclusive', reason: 'account_disabled', vendorCode: null };
  if (locked) return { result: 'inconclusive', reason: 'account_locked', vendorCode: null };
  return null;
}
