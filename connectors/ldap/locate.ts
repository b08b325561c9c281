import { AndFilter, type Control, type Entry, EqualityFilter } from 'ldapts';
import { hasValues, linkedAccount } from '../../model/people/naming';
import { attributesAt } from '../attributes';
import type { AccountRef, FindAnswer, FindRequest, FoundAccount } from '../contract';
import {
  type Accounts,
  accountFilter,
  accountOptions,
  idOf,
  type Located,
  optionsFor,
  refOf,
  search,
  textsOf,
} from './accounts';
import type { Link, Reply } from './link';
import { ownAccount } from './own-account';
import { failureOf } from './read-refusals';

/** Finds the entry that a link means, by its name and by its native id. */
export async function locate(
  link: Link,
  account: AccountRef,
  accounts: Accounts,
  attributes: readonly string[],
  controls: Control[] = [],
): Promise<Reply<Located>> {
  const { ids, naming } = accounts;
  const { nativeId } = account;
  const named = await entryNamed(link, account.name, accounts, attributes, controls);
  if (!named.ok) return named;
  const namedId = named.value === null ? null : idOf(named.value, ids, nativeId);
  // Without the id of the entry, Lockstep cannot find out whether it is still the account.
  if (named.value !== null && nativeId !== null && namedId === null)
    return { ok: true, value: { found: false, problem: 'no_rights' } };
  const identified: Reply<Entry | null> =
    nativeId === null || namedId === nativeId
      ? { ok: true, value: null }
      : await entryWithId(link, nativeId, accounts, attributes, controls);
  if (!identified.ok) return identified;
  const asAccount = (entry: Entry | null) => entry && { ...refOf(entry, ids, nativeId), entry };
  const linked = linkedAccount(
    naming,
    account,
    asAccount(named.value),
    asAccount(identified.value),
  );
  if (!linked.found) return { ok: true, value: linked };
  const { entry, ...ref } = linked.account;
  const isOwn = await ownAccount(link, accounts);
  return {
    ok: true,
    value: isOwn(ref)
      ? { found: false, problem: 'service_account' }
      : { found: true, entry, account: ref },
  };
}

async function entryNamed(
  link: Link,
  name: string,
  { ids, settings, naming }: Accounts,
  attributes: readonly string[],
  controls: Control[],
): Promise<Reply<Entry | null>> {
  const options = optionsFor(ids, [...attributes]);
  const here = { ...options, scope: 'base', filter: accountFilter(settings) } as const;
  // A server need not understand every spelling of a DN.
  for (const spelling of new Set([name, naming.canonicalName(name)])) {
    const reply = await search(link, spelling, here, controls);
    if (!reply.ok && !NO_ENTRY.has(reply.code)) return reply;
    const [entry] = reply.ok ? reply.value : [];
    if (entry !== undefined) return { ok: true, value: entry };
  }
  return { ok: true, value: null };
}

async function entryWithId(
  link: Link,
  nativeId: string,
  { ids, settings }: Accounts,
  attributes: readonly string[],
  controls: Control[],
): Promise<Reply<Entry | null>> {
  const isThis = ids.filterFor(nativeId);
  if (isThis === null) return { ok: true, value: null };
  const filter = new AndFilter({ filters: [accountFilter(settings), isThis] });
  const options = { ...optionsFor(ids, [...attributes]), filter, sizeLimit: 2 };
  const reply = await search(link, settings.base, options, controls);
  return reply.ok ? { ok: true, value: reply.value[0] ?? null } : reply;
}

/** Result codes for: no such object, an alias to a missing object, a malformed DN, a DN outside all databases. */
const NO_ENTRY = new Set([32, 33, 34, 53]);

/** Finds the accounts whose attributes equal all of `match`. */
export async function findAccounts(
  link: Link,
  { match, limit }: FindRequest,
  accounts: Accounts,
): Promise<FindAnswer> {
  const { ids, settings, naming } = accounts;
  const filters = Object.entries(match).map(
    ([attribute, value]) => new EqualityFilter({ attribute, value }),
  );
  const options = {
    ...accountOptions(accounts, Object.keys(match)),
    filter: new AndFilter({ filters: [accountFilter(settings), ...filters] }),
  };
  const some = await search(link, settings.base, { ...options, sizeLimit: limit + 1 });
  // With a limit of the client, a limit of the server goes unreported. A few entries may be part of many.
  const isPart = some.ok && some.value.length > 0 && some.value.length <= limit;
  const reply = isPart ? await search(link, settings.base, options) : some;
  if (!reply.ok) return failureOf(reply);
  const isOwn = await ownAccount(link, accounts);
  const matches = reply.value.filter(
    (entry) =>
      // Directories match more than the naming does.
      hasValues(naming, match, (attribute) => textsOf(entry, attribute)) &&
      !isOwn(refOf(entry, ids)),
  );
  if (matches.length < limit && reply.value.length > limit)
    return { result: 'failed', reason: 'not_supported', vendorCode: 'too_many_similar' };
  return {
    result: 'found',
    accounts: matches.slice(0, limit).map((entry) => found(entry, accounts)),
  };
}

export const found = (entry: Entry, { ids, settings }: Accounts): FoundAccount => ({
  ...refOf(entry, ids),
  attributes: attributesAt(settings.attributes, (attribute) => textsOf(entry, attribute)),
});
