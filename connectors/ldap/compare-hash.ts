import { isSameHash } from '../../model/hashes/encoding';
import type { VerifyAnswer, VerifyRequest } from '../contract';
import { locate, type NativeIds, valuesOf } from './accounts';
import type { Link } from './link';
import { failureOf } from './read-refusals';
import type { LdapSettings } from './settings';

/**
 * Finds out whether the account holds exactly this hash. It compares the stored hash, or, if the service account may not
 * read that, lets the server compare it: the right to do so is more common (`=cw` on OpenLDAP).
 */
export async function compareHash(
  link: Link,
  { account, password }: VerifyRequest,
  ids: NativeIds,
  settings: LdapSettings,
): Promise<VerifyAnswer> {
  const attribute = settings.passwordAttribute;
  const located = await locate(link, account, ids, settings, [attribute]);
  if (!located.ok) return { ...failureOf(located), result: 'inconclusive' };
  if (located.value === null)
    return { result: 'inconclusive', reason: 'no_account', vendorCode: null };
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
