import type { Entry } from 'ldapts';
import { locate, type NativeIds } from '../../../connectors/ldap/accounts';
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
  const find = (nativeId: string | null) =>
    reader.ask((link) => locate(link, { name: target, nativeId }, ids, settings, attributes));
  const found = await find(targetId);
  if (found !== null) return isBelow(found.entry.dn, settings.base) ? found.entry : null;
  if (targetId !== null) {
    const named = await find(null);
    if (named !== null && ids.idOf(named.entry) === null)
      throw new PollFailure('no_rights', ids.attribute);
  }
  return null;
}

const UNESCAPED_COMMA = /(?<!\\)(?:\\\\)*,/;

/**
 * Whether a DN is below another. It compares their text without case and spaces, which is enough because the result only filters
 * changes and never identifies an account.
 */
function isBelow(dn: string, base: string): boolean {
  const [below, above] = [dn, base].map((name) =>
    name.split(UNESCAPED_COMMA).map((part) =>
      part
        .trim()
        .replace(/\s*=\s*/, '=')
        .toLowerCase(),
    ),
  );
  return above?.every((part, at) => below?.at(at - above.length) === part) === true;
}
