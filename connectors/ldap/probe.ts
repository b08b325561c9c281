import { Attribute, Change, type Entry } from 'ldapts';
import type { Finding } from '../contract';
import { accountFilter, accountOptions, type NativeIds, search } from './accounts';
import { ok, wrong } from './findings';
import type { Link, Reply } from './link';
import type { DirectorySettings } from './settings';

/** RFC 4511 appendix A.1. */
const INSUFFICIENT_RIGHTS = 50;

/** Rights are looked at before the value is, so a request that cannot succeed tells of them. */
export const lacksRights = (reply: Reply<unknown>): boolean =>
  !reply.ok && reply.code === INSUFFICIENT_RIGHTS;

/** Asks to remove a value that is not there: nothing changes, whatever the answer. */
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

/** One account below `base`, for what `doctor` tries; null where none can be seen. */
export async function anAccount(
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
        `${base} cannot be read (${reply.code}). Check base and the read rights.`,
      ),
    };
  const account = reply.value[0] ?? null;
  return account === null
    ? {
        account,
        base: wrong(
          'base',
          `No account below ${base} can be seen. Check base, userFilter and the read rights.`,
        ),
      }
    : { account, base: ok('base', `There are accounts below ${base}.`) };
}
