import type { Entry } from 'ldapts';
import { locate, type NativeIds } from '../../../connectors/ldap/accounts';
import { PollFailure } from '../poller';
import type { LoggedChange } from './entries';
import type { Reader } from './reader';

/**
 * The account that was changed, as it is now: its name is the one by which the connector `ldap` finds it, whatever case
 * whoever changed it had used, and although it was renamed since, where the changelog tells whose it was for good.
 * @returns null when it is not there any more, or none of those below `base`
 * @throws PollFailure
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

/** The server writes both in its own way, and no name of an account is decided by it. */
function isBelow(dn: string, base: string): boolean {
  const [own, above] = [dn, base].map((name) =>
    name.split(UNESCAPED_COMMA).map((part) =>
      part
        .trim()
        .replace(/\s*=\s*/, '=')
        .toLowerCase(),
    ),
  );
  return above?.every((part, at) => own?.at(at - above.length) === part) === true;
}
