import { z } from 'zod';
import type { AccountRef, FoundAccount } from '../contract';
import { nullIf } from '../http/answers';
import type { Api } from '../http/api';
import { dateOf, type Page, type State } from '../http/connector';
import { matches } from '../http/filter';
import { attributesAt, type Raw, rawUsers, readable, readableMatches } from '../http/lists';
import { json } from '../http/success';

/** The properties of a user that Lockstep reads. Source: Microsoft Graph, user resource type. */
const userShape = z.looseObject({
  id: z.string().min(1),
  userPrincipalName: z.string(),
  accountEnabled: z.boolean().nullish(),
  externalUserState: z.string().nullish(),
  lastPasswordChangeDateTime: z.string().nullish(),
  onPremisesSyncEnabled: z.boolean().nullish(),
});

/** The user with this id. Graph compares ids without regard to case. */
const userWith = (id: string) =>
  userShape.refine((user) => user.id.toLowerCase() === id.toLowerCase());

export type User = z.infer<typeof userShape>;

const NAME = 'userPrincipalName';
const STATUS = [
  'accountEnabled',
  'externalUserState',
  'lastPasswordChangeDateTime',
  'onPremisesSyncEnabled',
];

/** Maximum page size of Graph. */
const MOST_IN_A_PAGE = 999;

export const pathOf = (id: string): string => `/v1.0/users/${encodeURIComponent(id)}`;

/** Requests that read users. @param attributes properties to read in addition to userPrincipalName */
export function usersOf(api: Api, attributes: readonly string[]) {
  const names = [NAME, ...attributes];

  const found = (user: User): FoundAccount => ({
    name: user.userPrincipalName,
    nativeId: user.id,
    attributes: attributesAt(names, (name) => valuesAt(user, name)),
  });

  async function listed(more: Record<string, string>, signal: AbortSignal) {
    const query = new URLSearchParams({ $select: ['id', ...names].join(','), ...more });
    const [path, success] = [`/v1.0/users?${query}`, { 200: json(listShape) }];
    const list = await api.ask({ method: 'GET', path, success }, signal);
    // Only the token of the link is used, because a reply must not decide where requests are sent.
    const next = list['@odata.nextLink'];
    const cursor = next === undefined ? null : new URL(next).searchParams.get('$skiptoken');
    return { users: list.value, cursor };
  }

  return {
    names,
    async search(
      match: Readonly<Record<string, string>>,
      limit: number,
      signal: AbortSignal,
    ): Promise<readonly FoundAccount[]> {
      const terms = Object.entries(match).map(([name, value]) => `${name} eq ${quoted(value)}`);
      const query = { $filter: terms.join(' and '), $top: String(limit) };
      const { users } = await listed(query, signal);
      const fits = (user: Raw) => matches(match, (name) => valuesAt(user, name));
      return readableMatches(userShape, users, fits).map(found);
    },
    async page(cursor: string | null, pageSize: number, signal: AbortSignal): Promise<Page> {
      const $top = String(Math.min(pageSize, MOST_IN_A_PAGE));
      const page = await listed({ $top, ...(cursor !== null && { $skiptoken: cursor }) }, signal);
      const { users, malformed } = readable(userShape, page.users);
      return { accounts: users.map(found), malformed, cursor: page.cursor };
    },
    /** Reads a user by id, or by name if the id is unknown. Null if there is no such user. */
    async user({ nativeId, name }: AccountRef, signal: AbortSignal): Promise<User | null> {
      const query = new URLSearchParams({ $select: ['id', NAME, ...STATUS].join(',') });
      const path = `${pathOf(nativeId ?? name)}?${query}`;
      const success = { 200: json(nativeId === null ? userShape : userWith(nativeId)) };
      const request = api.ask({ method: 'GET', path, success }, signal);
      const user = await nullIf('no_account', request);
      if (user === null || nativeId !== null) return user;
      return matches({ [NAME]: name }, (at) => valuesAt(user, at)) ? user : null;
    },
  };
}

const listShape = z.looseObject({
  value: rawUsers,
  '@odata.nextLink': z.url().optional(),
});

/** Quotes a value as an OData string. */
const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;

const valuesAt = (user: Raw, name: string): string[] =>
  [user[name]].filter((value) => typeof value === 'string');

export const stateOf = (user: User): State => ({
  account: { name: user.userPrincipalName, nativeId: user.id },
  disabled: user.accountEnabled === false,
  // Entra shows neither a lock nor a forced change.
  locked: false,
  mustChange: false,
  passwordChangedAt: dateOf(user.lastPasswordChangeDateTime),
});
