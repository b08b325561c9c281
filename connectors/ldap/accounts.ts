import { type Control, type Entry, type Filter, FilterParser, type SearchOptions } from 'ldapts';
import type { Naming } from '../../model/people/naming';
import type { AccountProblem, AccountRef } from '../contract';
import type { Link, Reply } from './link';
import type { DirectorySettings } from './settings';

/** The attributes in which a kind of directory keeps ids that survive a rename, and how they are written as text. */
export interface NativeIds {
  /** The preferred attribute first. */
  readonly attributes: readonly [string, ...string[]];
  /** Whether the attributes are binary, so that ldapts must not read them as text. */
  readonly binary: boolean;
  /** Returns the ids as text, the preferred one first. Empty if the service account can read none. */
  readonly idsOf: (entry: Entry) => readonly string[];
  /** Returns a filter that matches the account with this id. Null if the text is not an id of this kind. */
  readonly filterFor: (id: string) => Filter | null;
}

/** How the accounts of one directory are looked up. */
export interface Accounts {
  readonly settings: DirectorySettings;
  readonly ids: NativeIds;
  readonly naming: Naming;
  /** Returns the DN of the login of a connection, or another name by which its entry can be read. Null if unknown. */
  readonly principal: (link: Link, settings: DirectorySettings) => Promise<string | null>;
}

/** The entry that a link means, or why it means none. */
export type Located =
  | { readonly found: true; readonly entry: Entry; readonly account: AccountRef }
  | { readonly found: false; readonly problem: AccountProblem | 'no_rights' };

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

export const textsOf = (entry: Entry, attribute: string): readonly string[] =>
  valuesOf(entry, attribute).filter((value) => typeof value === 'string');

/** Returns the first value of an attribute if it is text, else null. */
export function textOf(entry: Entry, attribute: string): string | null {
  const [first] = valuesOf(entry, attribute);
  return typeof first === 'string' ? first : null;
}

export const accountFilter = (settings: DirectorySettings): Filter =>
  FilterParser.parseString(settings.userFilter);

export const accountOptions = (
  { ids, settings }: Pick<Accounts, 'ids' | 'settings'>,
  more: readonly string[] = [],
): SearchOptions => optionsFor(ids, [...settings.attributes, ...more]);

/** Options of a search that reads these attributes and the native id. */
export function optionsFor(ids: NativeIds, attributes: string[]): SearchOptions {
  return {
    scope: 'sub',
    attributes: [...ids.attributes, ...attributes],
    ...(ids.binary ? { explicitBufferAttributes: [...ids.attributes] } : {}),
  };
}

/**
 * Returns the id of an entry. Null if the service account cannot read it.
 * @param linked the id of the link, which is returned if it is one of the ids of the entry
 */
export function idOf(entry: Entry, { idsOf }: NativeIds, linked: string | null): string | null {
  const ids = idsOf(entry);
  return ids.find((id) => id === linked) ?? ids[0] ?? null;
}

/** The account of an entry, by its present name and id. @param linked as for `idOf` */
export const refOf = (entry: Entry, ids: NativeIds, linked: string | null = null): AccountRef => ({
  name: entry.dn,
  nativeId: idOf(entry, ids, linked),
});

export async function search(
  link: Link,
  base: string,
  options: SearchOptions,
  controls: Control[] = [],
): Promise<Reply<Entry[]>> {
  return link.ask(async (client) => (await client.search(base, options, controls)).searchEntries);
}
