import type { AccountRef } from '../contract';
import { type Accounts, optionsFor, search } from './accounts';
import { isDn } from './dn';
import type { Link } from './link';
import { serverOf } from './server';
import type { DirectorySettings } from './settings';

/** OID of "Who am I?" (RFC 4532). */
const WHO_AM_I = '1.3.6.1.4.1.4203.1.11.3';

/** Whether an account is the one with which Lockstep signs in. */
export type IsOwn = (account: AccountRef) => boolean;

/** Cache by connection, because each connection has a login of its own. */
const known = new WeakMap<Link, IsOwn>();

/**
 * Finds out which entry the service account is: by what the server says, and by its entry, if the service account may
 * read that.
 */
export async function ownAccount(link: Link, accounts: Accounts): Promise<IsOwn> {
  const cached = known.get(link);
  if (cached !== undefined) return cached;
  const { ids, naming, settings } = accounts;
  const principal = await accounts.principal(link, settings);
  const reply = principal === null ? null : await search(link, principal, options(accounts));
  const entry = reply?.ok ? reply.value[0] : undefined;
  const ownIds = entry === undefined ? [] : ids.idsOf(entry);
  const names = new Set(
    [settings.bindDn, principal, entry?.dn].flatMap((name) =>
      name == null ? [] : [naming.canonicalName(name)],
    ),
  );
  const isOwn: IsOwn = ({ name, nativeId }) =>
    names.has(naming.canonicalName(name)) || (nativeId !== null && ownIds.includes(nativeId));
  known.set(link, isOwn);
  return isOwn;
}

const options = ({ ids }: Accounts) => ({ ...optionsFor(ids, []), scope: 'base' as const });

/** Returns the DN of the login by "Who am I?", or else by the settings. Null if neither is a DN. */
export async function principalByWhoAmI(
  link: Link,
  { bindDn }: DirectorySettings,
): Promise<string | null> {
  const { extensions } = await serverOf(link);
  const reply = extensions.has(WHO_AM_I) ? await link.ask((client) => client.exop(WHO_AM_I)) : null;
  const [, dn] = /^dn:(.+)$/s.exec((reply?.ok && reply.value.value) || '') ?? [];
  return dn ?? (isDn(bindDn) ? bindDn : null);
}
