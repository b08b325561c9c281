import {
  AndFilter,
  type Control,
  type Entry,
  EqualityFilter,
  type Filter,
  FilterParser,
  type SearchOptions,
} from 'ldapts';
import type { AccountRef, FindAnswer, FindRequest, FoundAccount, SourceFailure } from '../contract';
import type { LdapRefusal, Link, Reply } from './link';
import type { DirectorySettings } from './settings';

/** How one kind of directory names its accounts for good. */
export interface NativeIds {
  readonly attribute: string;
  /** Binary in the directory, so ldapts must not read it as text. */
  readonly binary: boolean;
  readonly idOf: (entry: Entry) => string | null;
  /** Null when this is no id of the kind. */
  readonly filterFor: (id: string) => Filter | null;
}

export interface Located {
  readonly entry: Entry;
  /** It was found by its native id, under another name. */
  readonly moved: boolean;
}

/**
 * Every value of an attribute, whatever the case in which the server writes its name, and also where it adds that it is
 * binary, as IBM's directories do of userPassword (seed 002).
 */
export function valuesOf(entry: Entry, attribute: string): readonly (string | Buffer)[] {
  const wanted = [attribute.toLowerCase(), `${attribute.toLowerCase()};binary`];
  const name = Object.keys(entry).find((key) => wanted.includes(key.toLowerCase()));
  const value = name === undefined ? [] : entry[name];
  return value === undefined ? [] : [value].flat();
}

export function textOf(entry: Entry, attribute: string): string | null {
  const [first] = valuesOf(entry, attribute);
  return typeof first === 'string' ? first : null;
}

/**
 * The entry of an account. A name that now belongs to somebody else is not taken for the account.
 * @returns null when there is none
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

/** No such object, an alias to nowhere, not a DN at all, or a DN of no database here. */
const NO_ENTRY = new Set([32, 33, 34, 53]);

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

/** Directories also match what only looks the same, such as full-width letters (RFC 4518); a person is not guessed. */
function holds(entry: Entry, attribute: string, value: string): boolean {
  const folded = foldAscii(value);
  return valuesOf(entry, attribute).some(
    (own) => typeof own === 'string' && foldAscii(own) === folded,
  );
}

const foldAscii = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

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
  const attributes: Record<string, string> = {};
  for (const attribute of settings.attributes) {
    const text = textOf(entry, attribute);
    if (text !== null) attributes[attribute] = text;
  }
  return { name: entry.dn, nativeId: ids.idOf(entry), attributes };
}

export async function search(
  link: Link,
  base: string,
  options: SearchOptions,
  controls: Control[] = [],
): Promise<Reply<Entry[]>> {
  return link.ask(async (client) => (await client.search(base, options, controls)).searchEntries);
}

/** A refusal to read. */
export function failureOf({ code }: LdapRefusal): SourceFailure {
  const vendorCode = String(code);
  switch (code) {
    case 3:
    case 11:
    case 51:
    case 52:
      return { result: 'failed', reason: 'busy', vendorCode };
    case 50:
      return { result: 'failed', reason: 'no_rights', vendorCode };
    // The base of the settings is not there, or the server sends only a part of what there is.
    case 4:
    case 32:
    case 34:
    case 53:
      return { result: 'failed', reason: 'not_supported', vendorCode };
    default:
      return { result: 'failed', reason: 'unknown', vendorCode };
  }
}
