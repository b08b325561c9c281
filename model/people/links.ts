import type { CodeOf } from '../errors';
import type { NamedAccount, Naming } from './naming';

/** A link of an account to a person, as it is stored. */
export interface Link extends NamedAccount {
  readonly id: string;
  readonly identityId: string;
  readonly problem: StoredProblem | null;
}

/**
 * Why nothing is written to a linked account until an operator acts. It is stored with the link.
 * - `linked_twice`: another link names the same account.
 * - `account_replaced`: the source gives the name of the account to another account, by its id.
 */
export type StoredProblem = CodeOf<'rejected'> & ('linked_twice' | 'account_replaced');

/** Which link means an account. */
export type LinkMatch<Stored> =
  | { readonly match: 'none' }
  | { readonly match: 'one'; readonly link: Stored; readonly renamed: boolean }
  /** A link has the name or the id of the account, and does not agree with it. `links` are those that do. */
  | { readonly match: 'contested'; readonly links: readonly Stored[] };

/**
 * Decides which link means an account of its source. Linking, captures, SCIM, correlation and refresh all go by this
 * function. It is the counterpart of `linkedAccount`, which decides which account a link means.
 * @param account its `nativeId` is null when the source has no ids, or when only a name was reported
 * @param links those with the canonical name or the id of the account; others are ignored
 */
export function linkOf<Stored extends Link>(
  { canonicalName, isLasting }: Naming,
  links: readonly Stored[],
  account: NamedAccount,
): LinkMatch<Stored> {
  const key = canonicalName(account.name);
  const { nativeId } = account;
  const named = links.filter(({ name }) => canonicalName(name) === key);
  const identified = links.filter((link) => nativeId !== null && link.nativeId === nativeId);
  const touching = [...new Set([...named, ...identified])];
  const [link, another] = touching;
  if (link === undefined) return { match: 'none' };
  if (another !== undefined || link.problem === 'linked_twice') return { match: 'contested', links: touching };
  if (named.length === 1)
    return link.nativeId === null || nativeId === null || link.nativeId === nativeId
      ? { match: 'one', link, renamed: false }
      : { match: 'contested', links: touching };
  return isLasting(nativeId ?? '')
    ? { match: 'one', link, renamed: true }
    : { match: 'contested', links: touching };
}
