import { isSameHash } from '../../model/hashes/encoding';
import type { VerifyAnswer, VerifyRequest } from '../contract';
import { type Accounts, valuesOf } from './accounts';
import type { Link } from './link';
import { locate } from './locate';
import { failureOf } from './read-refusals';

/**
 * Finds out whether the account holds exactly this hash. It compares the stored hash, or, if the service account may not
 * read that, lets the server compare it: the right to do so is more common (`=cw` on OpenLDAP).
 */
export async function compareHash(
  link: Link,
  { account, password }: VerifyRequest,
  accounts: Accounts,
  attribute: string,
): Promise<VerifyAnswer> {
  const located = await locate(link, account, accounts, [attribute]);
  if (!located.ok) return { ...failureOf(located), result: 'inconclusive' };
  if (!located.value.found)
    return { result: 'inconclusive', reason: located.value.problem, vendorCode: null };
  const { entry } = located.value;
  const hash = password.text();
  const stored = valuesOf(entry, attribute).map(String);
  if (stored.length > 0) return verdict(stored.some((value) => isSameHash(value, hash)));
  const reply = await link.ask((client) => client.compare(entry.dn, attribute, hash));
  if (reply.ok) return verdict(reply.value);
  const { reason, vendorCode } = failureOf(reply);
  return {
    result: 'inconclusive',
    reason: reason === 'busy' ? reason : 'not_supported',
    vendorCode,
  };
}

const verdict = (same: boolean): VerifyAnswer =>
  same ? { result: 'holds', proof: 'hash' } : { result: 'differs', vendorCode: null };
