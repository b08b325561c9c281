import { isSameId, isSameName, linkedAccount, type Naming } from '../../model/people/naming';
import { cached } from '../cached';
import type { AccountProblem, AccountRef, FoundAccount } from '../contract';
import { HttpRefused, ifOffered } from './answers';

/** How the users of an API are looked up. The methods throw `NotSent`, `NoReply` or `HttpRefused`. */
export interface Users<User> {
  readonly naming: Naming;
  /** Reads the user with this id. Null if there is none. */
  byId(id: string, signal: AbortSignal): Promise<User | null>;
  /** Reads the users that the API finds by this name. Users with another name are ignored. */
  byName(name: string, signal: AbortSignal): Promise<readonly User[]>;
  refOf(user: User): AccountRef;
  /** Returns the id of the user with whose credential Lockstep signs in. Null if it is no user. */
  readonly ownId: OwnId;
}

export type OwnId = (signal: AbortSignal) => Promise<string | null>;

/** For APIs to which Lockstep signs in as an application, which is no user. */
export const notAUser: OwnId = async () => null;

export type LinkedUser<User> = { readonly user: User } | { readonly problem: AccountProblem };

/** Reads the user that a link means, by id first: the API finds a user by the id alone, whatever the name. */
export async function linkedUser<User>(
  users: Users<User>,
  link: AccountRef,
  signal: AbortSignal,
): Promise<LinkedUser<User>> {
  const { naming, refOf } = users;
  const own = await users.ownId(signal);
  const { nativeId } = link;
  const asAccount = (user: User | null) => user && { ...refOf(user), user };
  const isNamed = (user: User) => isSameName(naming, refOf(user).name, link.name);
  const identified = nativeId === null ? null : await users.byId(nativeId, signal);
  const followsId = nativeId !== null && naming.isLasting(nativeId);
  const named =
    identified !== null && (followsId || isNamed(identified))
      ? identified
      : onlyOne((await users.byName(link.name, signal)).filter(isNamed));
  const linked = linkedAccount(
    naming,
    link,
    asAccount(named !== null && isNamed(named) ? named : null),
    asAccount(identified),
  );
  if (!linked.found) return { problem: linked.problem };
  const { user } = linked.account;
  const { nativeId: id } = refOf(user);
  const isOwn = own !== null && id !== null && isSameId(naming, own, id);
  return isOwn ? { problem: 'service_account' } : { user };
}

const onlyOne = <User>([user, another]: readonly User[]): User | null => {
  if (another !== undefined)
    throw new HttpRefused({
      reason: 'several_accounts',
      vendorCode: null,
      retryAfterMs: null,
      refused: true,
    });
  return user ?? null;
};

/** Leaves out the user with whose credential Lockstep signs in. */
export async function withoutOwn<User>(
  { ownId, naming }: Users<User>,
  accounts: readonly FoundAccount[],
  signal: AbortSignal,
): Promise<readonly FoundAccount[]> {
  if (accounts.length === 0) return accounts;
  const own = await ownId(signal);
  return own === null
    ? accounts
    : accounts.filter(({ nativeId }) => nativeId === null || !isSameId(naming, nativeId, own));
}

/** A rotated credential may belong to another user. */
const OWN_ID_MS = 60_000;

/** Reads the id of the own user once a minute. Null where the API does not show to which user a credential belongs. */
export const ownIdBy = (read: (signal: AbortSignal) => Promise<string>): OwnId =>
  cached(OWN_ID_MS, (signal) => ifOffered(read(signal)));
