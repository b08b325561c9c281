import type { CodeOf } from '../errors';
import type { LinkProblem, NamedAccount, Naming } from './naming';

/** A link of an account to a person, as it is stored. */
export interface Link extends NamedAccount {
  readonly id: string;
  readonly identityId: string;
  readonly problem: StoredProblem | null;
}

/**
 * Why a linked account gets no password until an operator acts. It is stored with the link.
 * - `linked_twice`: another link names the same account.
 * - `account_replaced`, `account_renamed`: the stored id is not, or no longer, that of the account with the name. Linking
 *   the account again makes Lockstep forget the id.
 * - `no_account`: the source no longer has the account.
 * - `service_account`: it is the account with which Lockstep signs in.
 */
export type StoredProblem = NotedProblem | (CodeOf<'rejected'> & 'linked_twice');

/** The problems that a source can show. Each ends when the source shows the account of the link again. */
export const notedProblems = [
  'no_account',
  'account_replaced',
  'account_renamed',
  'service_account',
] as const satisfies readonly (LinkProblem | (CodeOf<'rejected'> & 'service_account'))[];

export type NotedProblem = (typeof notedProblems)[number];

export const isNoted = (problem: string | null): problem is NotedProblem =>
  notedProblems.some((noted) => noted === problem);

/** True for the problem of a link whose stored id is outdated. */
export const isOutdated = (
  problem: string | null,
): problem is 'account_replaced' | 'account_renamed' =>
  problem === 'account_replaced' || problem === 'account_renamed';

/** Which link means an account. */
export type LinkMatch<Stored> =
  | { readonly match: 'none' }
  | { readonly match: 'one'; readonly link: Stored; readonly renamed: boolean }
  /** `links` have the name or the id of the account, and it is not certain which of them means it. `meant` may. */
  | {
      readonly match: 'contested';
      readonly links: readonly Stored[];
      readonly meant: readonly Stored[];
    };

/**
 * Decides which link means an account of its source. Linking, captures, SCIM, correlation and refresh all go by this
 * function. It is the counterpart of `linkedAccount`, which decides which account a link means: a link means an account
 * that has its name and does not have another id, or that has its lasting id.
 * @param account its `nativeId` is null when the source has no ids, or when only a name was reported
 * @param links those with the canonical name or the id of the account; others are ignored
 */
export function linkOf<Stored extends Link>(
  { canonicalName, canonicalId, isLasting }: Naming,
  links: readonly Stored[],
  { name, nativeId: shown }: NamedAccount,
): LinkMatch<Stored> {
  const key = canonicalName(name);
  const nativeId = shown && canonicalId(shown);
  const named = links.filter((link) => canonicalName(link.name) === key);
  const identified = links.filter((link) => nativeId !== null && link.nativeId === nativeId);
  const touching = [...new Set([...named, ...identified])];
  const lasting = nativeId !== null && isLasting(nativeId);
  const meant = touching.filter(
    (link) =>
      (identified.includes(link) && (lasting || named.includes(link))) ||
      (named.includes(link) && (link.nativeId === null || nativeId === null)),
  );
  const [link, another] = meant;
  if (touching.length === 0) return { match: 'none' };
  // A lasting id proves which link it is, even if the name belongs to an outdated link.
  const proved = lasting && link !== undefined && identified.includes(link);
  const certain = another === undefined && (proved || touching.length === 1);
  return link !== undefined && certain && link.problem !== 'linked_twice'
    ? { match: 'one', link, renamed: !named.includes(link) }
    : { match: 'contested', links: touching, meant };
}

/** Whether the source shows something of a linked account that is not stored. */
export const isNews = (
  stored: NamedAccount & { readonly idLearnt: boolean; readonly problem: StoredProblem | null },
  shown: NamedAccount,
): boolean =>
  !stored.idLearnt ||
  isNoted(stored.problem) ||
  shown.name !== stored.name ||
  (shown.nativeId !== null && shown.nativeId !== stored.nativeId);
