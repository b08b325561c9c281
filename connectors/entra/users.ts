import { z } from 'zod';
import type { AccountRef, FoundAccount } from '../contract';
import { accepted, HttpRefused, shaped } from '../http/answers';
import type { Api } from '../http/api';
import { dateOf, type Page, type State } from '../http/connector';
import { matches } from '../http/filter';
import { classify } from './errors';

/** The properties of a user that Lockstep reads. Source: Microsoft Graph, user resource type. */
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
      return users.filter((user) => matches(match, (name) => valuesAt(user, name))).map(found);
    },
    async page(cursor: string | null, pageSize: number, signal: AbortSignal): Promise<Page> {
      const $top = String(Math.min(pageSize, MOST_IN_A_PAGE));
      const page = await listed({ $top, ...(cursor !== null && { $skiptoken: cursor }) }, signal);
      return { accounts: page.users.map(found), cursor: page.cursor };
    },
    /** Reads a user by id, or by name if the id is unknown. Null if there is no such user. */
    async user({ nativeId, name }: AccountRef, signal: AbortSignal): Promise<User | null> {
      const query = new URLSearchParams({ $select: ['id', NAME, ...STATUS].join(',') });
      try {
        const user = shaped(userShape, await get(`${pathOf(nativeId ?? name)}?${query}`, signal));
        const isRequested =
          nativeId !== null || matches({ [NAME]: name }, (at) => valuesAt(user, at));
        return isRequested ? user : null;
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

/** Quotes a value as an OData string. */
const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;

const valuesAt = (user: User, name: string): string[] =>
  [user[name]].filter((value) => typeof value === 'string');

export const stateOf = ({ accountEnabled, lastPasswordChangeDateTime: at }: User): State => ({
  disabled: accountEnabled === false,
  // Entra shows neither a lock nor a forced change.
  locked: false,
  mustChange: false,
  passwordChangedAt: dateOf(at),
});
