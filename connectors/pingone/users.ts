import { z } from 'zod';
import type { AccountRef, FoundAccount } from '../contract';
import { nullIf } from '../http/answers';
import type { Api } from '../http/api';
import { dateOf, type Page, type State } from '../http/connector';
import { matches, scimFilter } from '../http/filter';
import { attributesAt, type Raw, rawUsers, readable, readableMatches } from '../http/lists';
import { json } from '../http/success';

/** The properties of a user that Lockstep reads. Source: PingOne Platform API, users data model. */
const userShape = z.looseObject({
  id: z.string().min(1),
  username: z.string(),
  enabled: z.boolean().default(true),
  account: z.looseObject({ status: z.string() }).nullish(),
  identityProvider: z.looseObject({ type: z.string() }).nullish(),
});

/** The state of a password. Source: PingOne Platform API, password state data model. */
const passwordShape = z.looseObject({
  status: z.string(),
  user: z.looseObject({ id: z.string() }).nullish(),
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

export interface User {
  readonly profile: z.infer<typeof userShape>;
  readonly password: z.infer<typeof passwordShape>;
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

  const found = (user: z.infer<typeof userShape>): FoundAccount => ({
    name: user.username,
    nativeId: user.id,
    attributes: attributesAt(names, (name) => valuesAt(user, name)),
  });

  async function listed(query: Record<string, string>, signal: AbortSignal) {
    const list = await get(`${all}?${new URLSearchParams(query)}`, listShape, signal);
    // Only the cursor of the link is used, because a reply must not decide where requests are sent.
    const next = list._links?.next?.href;
    const cursor = next === undefined ? null : new URL(next).searchParams.get('cursor');
    return { users: list._embedded.users, cursor };
  }

  async function search(
    match: Readonly<Record<string, string>>,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly FoundAccount[]> {
    const query = { filter: scimFilter(match), limit: String(limit) };
    const { users } = await listed(query, signal);
    const fits = (user: Raw) => matches(match, (name) => valuesAt(user, name));
    return readableMatches(userShape, users, fits).map(found);
  }

  return {
    names,
    passwordPath: (id: string) => `${pathOf(id)}/password`,
    search,
    async page(cursor: string | null, pageSize: number, signal: AbortSignal): Promise<Page> {
      const limit = String(Math.min(pageSize, MOST_IN_A_PAGE));
      const page = await listed({ limit, ...(cursor !== null && { cursor }) }, signal);
      const { users, malformed } = readable(userShape, page.users);
      return { accounts: users.map(found), malformed, cursor: page.cursor };
    },
    /** Reads a user and the state of the password. Null if there is no such user. */
    async user({ nativeId, name }: AccountRef, signal: AbortSignal): Promise<User | null> {
      const id = nativeId ?? (await search({ [USERNAME]: name }, 2, signal))[0]?.nativeId;
      if (id == null) return null;
      const profile = await nullIf('no_account', get(pathOf(id), userWith(id), signal));
      if (profile === null) return null;
      const request = get(`${pathOf(id)}/password`, passwordOf(id), signal);
      const password = await nullIf('no_account', request);
      return password && { profile, password };
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
    account: { name: profile.username, nativeId: profile.id },
    disabled: !profile.enabled,
    locked: isLockedOut(user) || profile.account?.status === 'LOCKED',
    mustChange: password.status === 'MUST_CHANGE_PASSWORD',
    passwordChangedAt: dateOf(password.lastChangedAt),
  };
}
