import { z } from 'zod';
import type { AccountRef, FoundAccount } from '../contract';
import { accepted, HttpRefused, shaped } from '../http/answers';
import type { Api } from '../http/api';
import { dateOf, type Page, type State } from '../http/connector';
import { matches } from '../http/filter';
import { classify } from './errors';

/** A user, as far as Lockstep looks at it. Source: Microsoft Graph, user resource type. */
const userShape = z.looseObject({
  id: z.string().min(1),
  userPrincipalName: z.string(),
  accountEnabled: z.boolean().nullish(),
  externalUserState: z.string().nullish(),
  lastPasswordChangeDateTime: z.string().nullish(),
  onPremisesSyncEnabled: z.boolean().nullish(),
});

export type User = z.infer<typeof userShape>;

const NAME = 'userPrincipalName';
const STANDING = [
  'accountEnabled',
  'externalUserState',
  'lastPasswordChangeDateTime',
  'onPremisesSyncEnabled',
];

/** Graph gives no more in a page. */
const MOST_IN_A_PAGE = 999;

export const pathOf = (id: string): string => `/v1.0/users/${encodeURIComponent(id)}`;

export function usersOf(api: Api, attributes: readonly string[]) {
  const names = [NAME, ...attributes];
  const get = async (path: string, signal: AbortSignal) =>
    accepted(await api.ask({ method: 'GET', path }, signal), classify);

  const found = (user: User): FoundAccount => ({
    name: user.userPrincipalName,
    nativeId: user.id,
    attributes: Object.fromEntries(
      names.flatMap((name) => valuesAt(user, name).map((value) => [name, value])),
    ),
  });

  async function listed(more: Record<string, string>, signal: AbortSignal) {
    const query = new URLSearchParams({ $select: ['id', ...names].join(','), ...more });
    const list = shaped(listShape, await get(`/v1.0/users?${query}`, signal));
    // Of the link only its place in the list: where the requests go is not for a reply to say.
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
      return users.filter((user) => matches(match, (name) => valuesAt(user, name))).map(found);
    },
    async page(cursor: string | null, pageSize: number, signal: AbortSignal): Promise<Page> {
      const $top = String(Math.min(pageSize, MOST_IN_A_PAGE));
      const page = await listed({ $top, ...(cursor !== null && { $skiptoken: cursor }) }, signal);
      return { accounts: page.users.map(found), cursor: page.cursor };
    },
    /** By id, or by name where there is none. Null when there is no such user. */
    async user({ nativeId, name }: AccountRef, signal: AbortSignal): Promise<User | null> {
      const query = new URLSearchParams({ $select: ['id', NAME, ...STANDING].join(',') });
      try {
        const user = shaped(userShape, await get(`${pathOf(nativeId ?? name)}?${query}`, signal));
        const asked = nativeId !== null || matches({ [NAME]: name }, (at) => valuesAt(user, at));
        return asked ? user : null;
      } catch (error) {
        if (error instanceof HttpRefused && error.failure.reason === 'no_account') return null;
        throw error;
      }
    },
  };
}

const listShape = z.looseObject({
  value: z.array(userShape),
  '@odata.nextLink': z.url().optional(),
});

/** As OData writes text. */
const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;

const valuesAt = (user: User, name: string): string[] =>
  [user[name]].filter((value) => typeof value === 'string');

export const stateOf = ({ accountEnabled, lastPasswordChangeDateTime: at }: User): State => ({
  disabled: accountEnabled === false,
  // Neither its lock nor a forced change is shown by Entra.
  locked: false,
  mustChange: false,
  passwordChangedAt: dateOf(at),
});
