import { z } from 'zod';
import { hasValues } from '../../model/people/naming';
import { attributesAt } from '../attributes';
import type { AccountRef, FoundAccount } from '../contract';
import { nullIf } from '../http/answers';
import type { Api } from '../http/api';
import type { HttpReply } from '../http/client';
import { dateOf } from '../http/connector';
import { scimFilter } from '../http/filter';
import { ownIdBy, type Users } from '../http/linked-user';
import { cursorIn, idShape, type Raw, rawUsers, readable, readableMatches } from '../http/lists';
import { type Body, json } from '../http/success';
import type { Page, State } from '../http/vendor';
import { naming } from './naming';

/** The properties of a user that Lockstep reads. Source: Okta Management API, User. */
const userShape = z.looseObject({
  id: idShape,
  status: z.string(),
  passwordChanged: z.string().nullish(),
  profile: z.looseObject({ login: z.string() }),
  credentials: z
    .looseObject({
      password: z.looseObject({}).nullish(),
      provider: z.looseObject({ type: z.string() }).nullish(),
    })
    .nullish(),
});

export type User = z.infer<typeof userShape>;

const LOGIN = 'login';

/** Maximum page size of Okta. */
const MOST_IN_A_PAGE = 200;

export const pathOf = (id: string): string => `/api/v1/users/${encodeURIComponent(id)}`;

/** The user with this id. */
export const userWith = (id: string) => userShape.refine((user) => user.id === id);

export const refOf = ({ id, profile }: User): AccountRef => ({ name: profile.login, nativeId: id });

/** How the users of an organization are looked up. */
export function usersOf(api: Api): Users<User> {
  const get = (key: string, shape: z.ZodType<User>, signal: AbortSignal) =>
    api.ask({ method: 'GET', path: pathOf(key), success: { 200: json(shape) } }, signal);
  return {
    naming,
    refOf,
    byId: (id, signal) => nullIf('no_account', get(id, userWith(id), signal)),
    // Okta also finds a user by the part of a login before the @, and the service account by "me".
    async byName(login, signal) {
      const user = await nullIf('no_account', get(login, userShape, signal));
      return user === null ? [] : [user];
    },
    // The owner of an API token. A service app is no user.
    ownId: ownIdBy(async (signal) => (await get('me', userShape, signal)).id),
  };
}

export async function search(
  api: Api,
  match: Readonly<Record<string, string>>,
  limit: number,
  signal: AbortSignal,
): Promise<readonly User[]> {
  const inProfile = Object.entries(match).map(([name, value]) => [`profile.${name}`, value]);
  const query = new URLSearchParams({
    search: scimFilter(Object.fromEntries(inProfile)),
    limit: String(limit),
  });
  const { users, next } = await listed(api, query, signal);
  const fits = (user: Raw) => hasValues(naming, match, (name) => valuesAt(user, name));
  return readableMatches(userShape, { users, isPart: next !== null }, fits, limit);
}

export async function page(
  api: Api,
  after: string | null,
  pageSize: number,
  found: (user: User) => FoundAccount,
  signal: AbortSignal,
): Promise<Page> {
  const query = new URLSearchParams({
    limit: String(Math.min(pageSize, MOST_IN_A_PAGE)),
    ...(after !== null && { after }),
  });
  const list = await listed(api, query, signal);
  const { users, malformed } = readable(userShape, list.users);
  return { accounts: users.map(found), malformed, cursor: list.next };
}

interface Listed {
  readonly users: readonly Raw[];
  readonly next: string | null;
}

const listBody: Body<Listed> = (reply) => {
  const read = json(rawUsers)(reply);
  return read && { value: { users: read.value, next: nextIn(reply) } };
};

const listed = (api: Api, query: URLSearchParams, signal: AbortSignal): Promise<Listed> =>
  api.ask({ method: 'GET', path: `/api/v1/users?${query}`, success: { 200: listBody } }, signal);

function nextIn({ header }: HttpReply): string | null {
  const [, url] = /<([^>]*)>\s*;\s*rel="next"/.exec(header('link') ?? '') ?? [];
  return url === undefined ? null : cursorIn(url, 'after');
}

const valuesAt = ({ profile }: Raw, name: string): string[] =>
  [(profile as Raw | null | undefined)?.[name]].filter((value) => typeof value === 'string');

export const foundWith =
  (attributes: readonly string[]) =>
  (user: User): FoundAccount => ({
    ...refOf(user),
    attributes: attributesAt([LOGIN, ...attributes], (name) => valuesAt(user, name)),
  });

/** Providers whose users have their password in Okta. Users of IMPORT get one at their first sign-in. */
const OWN = ['OKTA', 'IMPORT'];

/** Whether the user has a password in Okta. Okta shows an empty object for a password, and nothing if there is none. */
export const hasOwnPassword = ({ credentials }: User): boolean =>
  OWN.includes(credentials?.provider?.type ?? 'OKTA') && credentials?.password != null;

export function stateOf({ status, passwordChanged }: User): State {
  return {
    disabled: status === 'SUSPENDED' || status === 'DEPROVISIONED',
    locked: status === 'LOCKED_OUT',
    mustChange: status === 'PASSWORD_EXPIRED',
    passwordChangedAt: dateOf(passwordChanged),
  };
}
