import { Attribute, Change, type Entry } from 'ldapts';
import type { Finding } from '../contract';
import { accountFilter, accountOptions, type NativeIds, search } from './accounts';
import { ok, wrong } from './findings';
import type { Link, Reply } from './link';
import type { DirectorySettings } from './settings';

/** RFC 4511 appendix A.1. */
const INSUFFICIENT_RIGHTS = 50;

/**
 * Whether the server rejected a request for lack of rights. A server checks rights before values, so a request with an
 * impossible value is enough to find out.
 */
export const lacksRights = (reply: Reply<unknown>): boolean =>
  !reply.ok && reply.code === INSUFFICIENT_RIGHTS;

/**
 * Finds out whether the service account may write an attribute, by a request to remove a value that the entry does not
 * have. It changes nothing.
 */
export async function mayWrite(
  link: Link,
  dn: string,
  attribute: string,
  absent: string,
): Promise<boolean> {
  const change = new Change({
    operation: 'delete',
    modification: new Attribute({ type: attribute, values: [absent] }),
  });
  return !lacksRights(await link.ask((client) => client.modify(dn, change)));
}

/** Reads one account below `base` for the checks of `lockstep doctor`. The account is null if none can be read. */
export async function sampleAccount(
  link: Link,
  settings: DirectorySettings,
  ids: NativeIds,
  attributes: readonly string[] = [],
): Promise<{ readonly account: Entry | null; readonly base: Finding }> {
  const { base } = settings;
  const reply = await search(link, base, {
    ...accountOptions(ids, settings, attributes),
    filter: accountFilter(settings),
    sizeLimit: 1,
  });
  if (!reply.ok)
    return {
      account: null,
      base: wrong(
        'base',
        `The service account cannot read ${base} (${reply.code}). Check base and the read rights.`,
      ),
    };
  const account = reply.value[0] ?? null;
  return account === null
    ? {
        account,
        base: wrong(
          'base',
          `The service account can read no account below ${base}. Check base, userFilter and the read rights.`,
        ),
      }
    : { account, base: ok('base', `The service account can read accounts below ${base}.`) };
}
