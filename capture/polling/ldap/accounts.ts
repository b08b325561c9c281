import type { Entry } from 'ldapts';
import type { NativeIds } from '../../../connectors/ldap/accounts';
import { isWithin } from '../../../connectors/ldap/dn';
import { locate } from '../../../connectors/ldap/locate';
import { dnNaming } from '../../../connectors/ldap/naming';
import { principalByWhoAmI } from '../../../connectors/ldap/own-account';
import { PollFailure } from '../poller';
import type { LoggedChange } from './entries';
import type { Reader } from './reader';

/**
 * Looks up the account of a change. The entry has the DN by which the connector `ldap` finds the account now: the changelog
 * may spell it in another case, and if it records a native id, the account may have been renamed since.
 * @returns null if the account no longer exists or is not below `base`
 * @throws PollFailure if the directory cannot be read
 */
export async function accountOf(
  reader: Reader,
  { target, targetId }: LoggedChange,
  ids: NativeIds,
  attributes: readonly string[] = [],
): Promise<Entry | null> {
  const { settings } = reader;
  const accounts = { settings, ids, naming: dnNaming([]), principal: principalByWhoAmI };
  const find = (nativeId: string | null) =>
    reader.ask((link) => locate(link, { name: target, nativeId }, accounts, attributes));
  const found = await find(targetId);
  if (found.found) return isWithin(found.entry.dn, settings.base) ? found.entry : null;
  if (found.problem === 'no_rights') throw new PollFailure('no_rights', ids.attributes[0]);
  return null;
}
