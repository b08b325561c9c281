import { isSameHash } from '../../model/hashes/encoding';
import type { VerifyAnswer, VerifyRequest } from '../contract';
import { failureOf, locate, type NativeIds, valuesOf } from './accounts';
import type { Link } from './link';
import type { LdapSettings } from './settings';

/** Whether the account holds this very hash. Who may not read what is stored may often compare it (`=cw`). */
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
