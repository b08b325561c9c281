import { z } from 'zod';
import { hasValues } from '../../model/people/naming';
import { attributesAt } from '../attributes';
import type { AccountRef, FoundAccount } from '../contract';
import { nullIf } from '../http/answers';
import type { Api } from '../http/api';
import { dateOf } from '../http/connector';
import { scimFilter } from '../http/filter';
import { notAUser, type Users } from '../http/linked-user';
import { cursorIn, idShape, type Raw, rawUsers, readable, readableMatches } from '../http/lists';
import { json } from '../http/success';
import type { Page, State } from '../http/vendor';
import { naming } from './naming';

/** The properties of a user that Lockstep reads. Source: PingOne Platform API, users data model. */
const userShape = z.looseObject({
  id: idShape,
  username: z.string(),
  enabled: z.boolean().default(true),
  account: z.looseObject({ status: z.string() }).nullish(),
  identityProvider: z.looseObject({ type: z.string() }).nullish(),
});

/** The state of a password. Source: PingOne Platform API, password state data model. */
const passwordShape = z.looseObject({
  status: z.string(),
  user: z.looseObject({ id: idShape }).nullish(),
  lastChangedAt: z.string().nullish(),
  secondsUntilUnlock: z.number().nullish(),
});

/** Ids are UUIDs, whose letters may be of either case. */
const isSame = (id: string, other: string): boolean => id.toLowerCase() === other.toLowerCase();

const userWith = (id: string) => userShape.refine((user) => isSame(user.id, id));

const passwordOf = (id: string) =>
  passwordShape.refine(({ user }) => user == null || isSame(user.id, id));

/** States in which the user has a password in PingOne. A write and a successful check return one of them. */
const SET = ['OK', 'MUST_CHANGE_PASSWORD', 'PASSWORD_EXPIRED'];

/** The state of the password of the user with this id, which must be set. */
export const setPasswordOf = (id: string) =>
  passwordOf(id).refine(({ status }) => SET.includes(status));

export type Profile = z.infer<typeof userShape>;

export const refOf = ({ username: name, id: nativeId }: Profile): AccountRef => ({
  name,
  nativeId,
});

type Password = z.infer<typeof passwordShape>;

/** A user, with the state of the password if a write has just shown it. */
export interface Known {
  readonly profile: Profile;
  readonly password?: Password;
}

export interface User extends Known {
  readonly password: Password;
}

const USERNAME = 'username';

/** Page size: the default of PingOne, which is the maximum for some resources. */
const MOST_IN_A_PAGE = 100;

/** Requests about the users of one environment. */
export function usersOf(api: Api, environment: string, attributes: readonly string[]) {
  const all = `/environments/${environment}/users`;
  const pathOf = (id: string) => `${all}/${encodeURIComponent(id)}`;
  const get = <T>(path: string, shape: z.ZodType<T>, signal: AbortSignal) =>
    api.ask({ method: 'GET', path, success: { 200: json(shape) } }, signal);
  const names = [USERNAME, ...attributes];

  const found = (user: Profile): FoundAccount => ({
    ...refOf(user),
    attributes: attributesAt(names, (name) => valuesAt(user, name)),
  });

  async function listed(query: Record<string, string>, signal: AbortSignal) {
    const list = await get(`${all}?${new URLSearchParams(query)}`, listShape, signal);
    const next = list._links?.next?.href;
    const cursor = next === undefined ? null : cursorIn(next, 'cursor');
    return { users: list._embedded.users, cursor };
  }

  async function search(
    match: Readonly<Record<string, string>>,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly Profile[]> {
    const query = { filter: scimFilter(match), limit: String(limit) };
    const { users, cursor } = await listed(query, signal);
    const fits = (user: Raw) => hasValues(naming, match, (name) => valuesAt(user, name));
    return readableMatches(userShape, { users, isPart: cursor !== null }, fits, limit);
  }

  return {
    names,
    passwordPath: (id: string) => `${pathOf(id)}/password`,
    find: async (match: Readonly<Record<string, string>>, limit: number, signal: AbortSignal) =>
      (await search(match, limit, signal)).map(found),
    async page(cursor: string | null, pageSize: number, signal: AbortSignal): Promise<Page> {
      const limit = String(Math.min(pageSize, MOST_IN_A_PAGE));
      const page = await listed({ limit, ...(cursor !== null && { cursor }) }, signal);
      const { users, malformed } = readable(userShape, page.users);
      return { accounts: users.map(found), malformed, cursor: page.cursor };
    },
    lookups: {
      naming,
      refOf: ({ profile }) => refOf(profile),
      async byId(id, signal) {
        const profile = await nullIf('no_account', get(pathOf(id), userWith(id), signal));
        return profile && { profile };
      },
      byName: async (name, signal) =>
        (await search({ [USERNAME]: name }, 2, signal)).map((profile) => ({ profile })),
      ownId: notAUser,
    } satisfies Users<Known>,
    /** Reads the state of the password of a user, unless it is known. */
    async withPassword({ profile, password }: Known, signal: AbortSignal): Promise<User> {
      const { id } = profile;
      return {
        profile,
        password: password ?? (await get(`${pathOf(id)}/password`, passwordOf(id), signal)),
      };
    },
  };
}

const listShape = z.looseObject({
  _embedded: z.looseObject({ users: rawUsers }),
  _links: z.looseObject({ next: z.looseObject({ href: z.url() }).optional() }).optional(),
});

/** Returns the text at a path such as `email` or `name.family`. Empty if there is none. */
function valuesAt(user: Raw, path: string): string[] {
  let value: unknown = user;
  for (const name of path.split('.')) value = (value as Raw | null | undefined)?.[name];
  return [value].filter((text) => typeof text === 'string');
}

export const isLockedOut = ({ password }: User): boolean =>
  password.status === 'PASSWORD_LOCKED_OUT';

/** Whether the password is kept in PingOne. One in an external directory has the status EXTERNAL. */
export const hasOwnPassword = ({ profile, password }: User): boolean =>
  (profile.identityProvider?.type ?? 'PING_ONE') === 'PING_ONE' &&
  password.status !== 'EXTERNAL' &&
  password.status !== 'NO_PASSWORD';

export function stateOf(user: User): State {
  const { profile, password } = user;
  return {
    disabled: !profile.enabled,
    locked: isLockedOut(user) || profile.account?.status === 'LOCKED',
    mustChange: password.status === 'MUST_CHANGE_PASSWORD',
    passwordChangedAt: dateOf(password.lastChangedAt),
  };
}
