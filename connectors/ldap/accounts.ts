import {
  AndFilter,
  type Control,
  type Entry,
  EqualityFilter,
  type Filter,
  FilterParser,
  type SearchOptions,
} from 'ldapts';
import { foldAscii } from '../../model/people/fold-case';
import type { AccountRef, FindAnswer, FindRequest, FoundAccount } from '../contract';
import type { Link, Reply } from './link';
import { failureOf } from './read-refusals';
import type { DirectorySettings } from './settings';

/** The attribute in which a kind of directory keeps an id that survives a rename, and how it is written as text. */
export interface NativeIds {
  readonly attribute: string;
  /** Whether the attribute is binary, so that ldapts must not read it as text. */
  readonly binary: boolean;
  /** Returns the id as text. Null if the service account cannot read it. */
  readonly idOf: (entry: Entry) => string | null;
  /** Returns a filter that matches the account with this id. Null if the text is not an id of this kind. */
  readonly filterFor: (id: string) => Filter | null;
}

export interface Located {
  readonly entry: Entry;
  /** Whether it was found by its native id, under another name. */
  readonly moved: boolean;
}

/**
 * Returns all values of an attribute. The case of the attribute name does not matter, nor does an added option `;binary`,
 * which IBM's directories append to userPassword.
 */
export function valuesOf(entry: Entry, attribute: string): readonly (string | Buffer)[] {
  const wanted = [attribute.toLowerCase(), `${attribute.toLowerCase()};binary`];
  const name = Object.keys(entry).find((key) => wanted.includes(key.toLowerCase()));
  const value = name === undefined ? [] : entry[name];
  return value === undefined ? [] : [value].flat();
}

const textsOf = (entry: Entry, attribute: string): readonly string[] =>
  valuesOf(entry, attribute).filter((value) => typeof value === 'string');

/** Returns the first value of an attribute if it is text, else null. */
export function textOf(entry: Entry, attribute: string): string | null {
  const [first] = valuesOf(entry, attribute);
  return typeof first === 'string' ? first : null;
}

/**
 * Finds the entry of an account, by its name or else by its native id. If another account now has the name, that entry is
 * not returned.
 * @returns the value null if there is no such account
 */
export async function locate(
  link: Link,
  account: AccountRef,
  ids: NativeIds,
  settings: DirectorySettings,
  attributes: readonly string[],
  controls: Control[] = [],
): Promise<Reply<Located | null>> {
  const options = optionsFor(ids, [...attributes]);
  const isAccount = accountFilter(settings);
  const here = { ...options, scope: 'base', filter: isAccount } as const;
  const byName = await search(link, account.name, here, controls);
  if (!byName.ok && !NO_ENTRY.has(byName.code)) return byName;
  const entry = byName.ok ? byName.value[0] : undefined;
  if (entry && (account.nativeId === null || ids.idOf(entry) === account.nativeId))
    return { ok: true, value: { entry, moved: false } };
  const isThis = account.nativeId === null ? null : ids.filterFor(account.nativeId);
  if (isThis === null) return { ok: true, value: null };
  const filter = new AndFilter({ filters: [isAccount, isThis] });
  const byId = await search(link, settings.base, { ...options, filter, sizeLimit: 2 }, controls);
  if (!byId.ok) return byId;
  const [found] = byId.value;
  return { ok: true, value: found === undefined ? null : { entry: found, moved: true } };
}

/** Result codes for: no such object, an alias to a missing object, a malformed DN, a DN outside all databases. */
const NO_ENTRY = new Set([32, 33, 34, 53]);

/** Finds the accounts whose attributes equal all of `match`. */
export async function findAccounts(
  link: Link,
  { match, limit }: FindRequest,
  ids: NativeIds,
  settings: DirectorySettings,
): Promise<FindAnswer> {
  const wanted = Object.entries(match);
  const filters = wanted.map(([attribute, value]) => new EqualityFilter({ attribute, value }));
  const reply = await search(link, settings.base, {
    ...accountOptions(
      ids,
      settings,
      wanted.map(([attribute]) => attribute),
    ),
    filter: new AndFilter({ filters: [accountFilter(settings), ...filters] }),
    sizeLimit: limit,
  });
  if (!reply.ok) return failureOf(reply);
  const matches = reply.value.filter((entry) =>
    wanted.every(([attribute, value]) => holds(entry, attribute, value)),
  );
  return { result: 'found', accounts: matches.map((entry) => found(entry, ids, settings)) };
}

/**
 * Whether the entry has this value, apart from the case of ASCII letters. Directories also match text that only looks
 * the same, such as full-width letters (RFC 4518), which must not link an account to the wrong person.
 */
function holds(entry: Entry, attribute: string, value: string): boolean {
  const folded = foldAscii(value);
  return textsOf(entry, attribute).some((candidate) => foldAscii(candidate) === folded);
}

export const accountFilter = (settings: DirectorySettings): Filter =>
  FilterParser.parseString(settings.userFilter);

export const accountOptions = (
  ids: NativeIds,
  settings: DirectorySettings,
  more: readonly string[] = [],
): SearchOptions => optionsFor(ids, [...settings.attributes, ...more]);

function optionsFor(ids: NativeIds, attributes: string[]): SearchOptions {
  return {
    scope: 'sub',
    attributes: [ids.attribute, ...attributes],
    ...(ids.binary ? { explicitBufferAttributes: [ids.attribute] } : {}),
  };
}

export function found(entry: Entry, ids: NativeIds, settings: DirectorySettings): FoundAccount {
  const attributes = settings.attributes
    .map((attribute) => [attribute, textsOf(entry, attribute)] as const)
    .filter(([, texts]) => texts.length > 0);
  return { ...refOf(entry, ids), attributes: Object.fromEntries(attributes) };
}

/** The account of an entry, by its present name and id. */
export const refOf = (entry: Entry, ids: NativeIds): AccountRef => ({
  name: entry.dn,
  nativeId: ids.idOf(entry),
});

export async function search(
  link: Link,
  base: string,
  options: SearchOptions,
  controls: Control[] = [],
): Promise<Reply<Entry[]>> {
  return link.ask(async (client) => (await client.search(base, options, controls)).searchEntries);
}
