import { z } from 'zod';
import { hasValues } from '../../model/people/naming';
import { attributesAt } from '../attributes';
import type { AccountRef, FoundAccount } from '../contract';
import { nullIf } from '../http/answers';
import type { Api } from '../http/api';
import { dateOf } from '../http/connector';
import { notAUser, type Users } from '../http/linked-user';
import { cursorIn, idShape, type Raw, rawUsers, readable, readableMatches } from '../http/lists';
import { json } from '../http/success';
import type { Page, State } from '../http/vendor';
import { naming } from './naming';

/** The properties of a user that Lockstep reads. Source: Microsoft Graph, user resource type. */
const userShape = z.looseObject({
  id: idShape,
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

export const refOf = ({ userPrincipalName: name, id: nativeId }: User): AccountRef => ({
  name,
  nativeId,
});

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
    ...refOf(user),
    attributes: attributesAt(names, (name) => valuesAt(user, name)),
  });

  async function listed(more: Record<string, string>, signal: AbortSignal) {
    const query = new URLSearchParams({ $select: ['id', ...names].join(','), ...more });
    const [path, success] = [`/v1.0/users?${query}`, { 200: json(listShape) }];
    const list = await api.ask({ method: 'GET', path, success }, signal);
    const next = list['@odata.nextLink'];
    const cursor = next === undefined ? null : cursorIn(next, '$skiptoken');
    return { users: list.value, cursor };
  }

  const user = (key: string, shape: z.ZodType<User>, signal: AbortSignal) => {
    const query = new URLSearchParams({ $select: ['id', NAME, ...STATUS].join(',') });
    const [path, success] = [`${pathOf(key)}?${query}`, { 200: json(shape) }];
    return nullIf('no_account', api.ask({ method: 'GET', path, success }, signal));
  };

  return {
    names,
    async search(
      match: Readonly<Record<string, string>>,
      limit: number,
      signal: AbortSignal,
    ): Promise<readonly FoundAccount[]> {
      const terms = Object.entries(match).map(([name, value]) => `${name} eq ${quoted(value)}`);
      const query = { $filter: terms.join(' and '), $top: String(limit) };
      const { users, cursor } = await listed(query, signal);
      const fits = (user: Raw) => hasValues(naming, match, (name) => valuesAt(user, name));
      return readableMatches(userShape, { users, isPart: cursor !== null }, fits, limit).map(found);
    },
    async page(cursor: string | null, pageSize: number, signal: AbortSignal): Promise<Page> {
      const $top = String(Math.min(pageSize, MOST_IN_A_PAGE));
      const page = await listed({ $top, ...(cursor !== null && { $skiptoken: cursor }) }, signal);
      const { users, malformed } = readable(userShape, page.users);
      return { accounts: users.map(found), malformed, cursor: page.cursor };
    },
    lookups: {
      naming,
      refOf,
      byId: (id, signal) => user(id, userWith(id), signal),
      async byName(name, signal) {
        const found = await user(name, userShape, signal);
        return found === null ? [] : [found];
      },
      ownId: notAUser,
    } satisfies Users<User>,
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
  disabled: user.accountEnabled === false,
  // Entra shows neither a lock nor a forced change.
  locked: false,
  mustChange: false,
  passwordChangedAt: dateOf(user.lastPasswordChangeDateTime),
});
