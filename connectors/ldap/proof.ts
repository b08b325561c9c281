import type { VerifyAnswer, VerifyRequest } from '../contract';
import { failureOf } from './accounts';
import type { AccountState, Dialect, See } from './dialect';
import { newCall, type Pool } from './pool';

interface Means {
  readonly dialect: Dialect;
  readonly see: See;
  readonly services: Pool;
  /** Links without a login of their own. A simple login replaces the one before it, so they are kept. */
  readonly proofs: Pool;
}

/**
 * Finds out with one login, or without one where the server can be asked, whether the account holds the password. A
 * refused login is held against the state of the account; when the account has moved, the first login met nobody, and its
 * own is made at the new name.
 */
export async function prove(
  { dialect, see, services, proofs }: Means,
  request: VerifyRequest,
): Promise<VerifyAnswer> {
  const call = newCall();
  const { account, password, form } = request;
  const { compareHash } = dialect;
  if (form !== 'plaintext')
    return compareHash === undefined
      ? { result: 'inconclusive', reason: 'not_supported', vendorCode: null }
      : services.use(call, (link) => compareHash(link, request));
  let toldWhy = dialect.loginTellsWhy;
  const holds = async (dn: string): Promise<VerifyAnswer> => {
    const { verify } = dialect;
    const told = verify && (await services.use(call, (link) => verify(link, dn, password)));
    if (told) toldWhy = true;
    return told ?? proofs.use(call, (link) => dialect.logIn(link, dn, password));
  };
  const first = await holds(account.name);
  if (first.result === 'holds') return first;
  const seen = await services.use(call, (link) => see(link, account));
  if (!seen.ok) return { ...failureOf(seen), result: 'inconclusive' };
  if (seen.value === null)
    return { result: 'inconclusive', reason: 'no_account', vendorCode: null };
  const { moved, entry, standing } = seen.value;
  const verdict = moved ? await holds(entry.dn) : first;
  if (verdict.result === 'holds' || toldWhy) return verdict;
  return barred(standing) ?? verdict;
}

function barred({ disabled, locked }: AccountState): VerifyAnswer | null {
  if (disabled) return { result: 'inconclusive', reason: 'account_disabled', vendorCode: null };
  if (locked) return { result: 'inconclusive', reason: 'account_locked', vendorCode: null };
  return null;
}
