import { AndFilter, type Control, type Entry, EqualityFilter } from 'ldapts';
import { linkedAccount, type Naming } from '../../model/people/naming';
import type {
  AccountProblem,
  AccountRef,
  FindAnswer,
  FindRequest,
  FoundAccount,
} from '../contract';
import {
  type Accounts,
  accountFilter,
  accountOptions,
  optionsFor,
  refOf,
  search,
  textsOf,
} from './accounts';
import type { Link, Reply } from './link';
import { ownAccount } from './own-account';
import { failureOf } from './read-refusals';

/** The entry that a link means, or why it means none. */
export type Located =
  | { readonly found: true; readonly entry: Entry; readonly account: AccountRef }
  | { readonly found: false; readonly problem: AccountProblem | 'no_rights' };

/** Finds the entry that a link means, by its name and by its native id. */
export async function locate(
  link: Link,
  account: AccountRef,
  accounts: Accounts,
  attributes: readonly string[],
  controls: Control[] = [],
): Promise<Reply<Located>> {
  const { ids, settings, naming } = accounts;
  const options = optionsFor(ids, [...attributes]);
  const isAccount = accountFilter(settings);
  const here = { ...options, scope: 'base', filter: isAccount } as const;
  const byName = await search(link, account.name, here, controls);
  if (!byName.ok && !NO_ENTRY.has(byName.code)) return byName;
  const named = byName.ok ? byName.value[0] : undefined;
  const namedId = named === undefined ? null : ids.idOf(named);
  // Without the id of the entry, Lockstep cannot find out whether it is still the account.
  if (named !== undefined && account.nativeId !== null && namedId === null)
    return { ok: true, value: { found: false, problem: 'no_rights' } };
  const isThis =
    account.nativeId === null || namedId === account.nativeId
      ? null
      : ids.filterFor(account.nativeId);
  let identified: Entry | undefined;
  if (isThis !== null) {
    const filter = new AndFilter({ filters: [isAccount, isThis] });
    const byId = await search(link, settings.base, { ...options, filter, sizeLimit: 2 }, controls);
    if (!byId.ok) return byId;
    [identified] = byId.value;
  }
  const asAccount = (entry: Entry | undefined) =>
    entry === undefined ? null : { ...refOf(entry, ids), entry };
  const linked = linkedAccount(naming, account, asAccount(named), asAccount(identified));
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

/** Result codes for: no such object, an alias to a missing object, a malformed DN, a DN outside all databases. */
const NO_ENTRY = new Set([32, 33, 34, 53]);

/** Finds the accounts whose attributes equal all of `match`. */
export async function findAccounts(
  link: Link,
  { match, limit }: FindRequest,
  accounts: Accounts,
): Promise<FindAnswer> {
  const { ids, settings, naming } = accounts;
  const wanted = Object.entries(match);
  const filters = wanted.map(([attribute, value]) => new EqualityFilter({ attribute, value }));
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
      wanted.every(([attribute, value]) => holds(naming, entry, attribute, value)) &&
      !isOwn(refOf(entry, ids)),
  );
  if (matches.length < limit && reply.value.length > limit)
    return { result: 'failed', reason: 'not_supported', vendorCode: 'too_many_similar' };
  return {
    result: 'found',
    accounts: matches.slice(0, limit).map((entry) => found(entry, accounts)),
  };
}

/** Whether the entry has this value, by the naming: directories match more than that. */
function holds(
  { canonicalValue }: Naming,
  entry: Entry,
  attribute: string,
  value: string,
): boolean {
  const wanted = canonicalValue(attribute, value);
  return textsOf(entry, attribute).some((text) => canonicalValue(attribute, text) === wanted);
}

export function found(entry: Entry, { ids, settings }: Accounts): FoundAccount {
  const attributes = settings.attributes
    .map((attribute) => [attribute, textsOf(entry, attribute)] as const)
    .filter(([, texts]) => texts.length > 0);
  return { ...refOf(entry, ids), attributes: Object.fromEntries(attributes) };
}
