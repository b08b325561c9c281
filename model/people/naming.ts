import type { CodeOf } from '../errors';

/**
 * How the accounts of one source are distinguished. Each kind of connector declares it in `kind.ts`, from the settings of
 * the source. Link, refresh, correlation, capture, SCIM and change use it, so that they always mean the same account.
 */
export interface Naming {
  /**
   * The canonical form of a name. Two names with the same canonical form are the name of one account. A text that
   * cannot be a name in the source is its own canonical form.
   */
  readonly canonicalName: (name: string) => string;
  /**
   * The canonical form of the value of an attribute. Two values with the same canonical form match in a correlation
   * rule.
   */
  readonly canonicalValue: (attribute: string, value: string) => string;
  /** The canonical form of an id: an operator may write a UUID in upper case. */
  readonly canonicalId: (nativeId: string) => string;
  /**
   * True when no other account ever gets this id, such as an entryUUID. Such an id shows that an account was renamed.
   * False when the id is unique only now, such as the oid of a PostgreSQL role, which changes with a restore.
   */
  readonly isLasting: (nativeId: string) => boolean;
}

const unchanged = (text: string): string => text;

/** Names and values match only when they are the same text, and an id is unique only now. */
export const exactNaming: Naming = {
  canonicalName: unchanged,
  canonicalValue: (_attribute, value) => value,
  canonicalId: unchanged,
  isLasting: () => false,
};

/** What the settings of one source determine about its accounts. */
export interface AccountRules {
  readonly naming: Naming;
  /** True for the name of an account with which Lockstep signs in, to this source or to another one, in any spelling. */
  readonly isServiceAccount: (name: string) => boolean;
}

interface SourceSettings {
  readonly kind: string;
  readonly settings: unknown;
}

/**
 * Returns the rules of a source. A source that is not configured has exact names and no service account.
 * @param sources every configured source: the service account of one may be an account of another
 */
export type AccountRulesOf = (
  source: SourceSettings | undefined,
  sources?: Readonly<Record<string, SourceSettings>>,
) => AccountRules;

/** Exact names, and no service account. */
export const exactRules: AccountRules = { naming: exactNaming, isServiceAccount: () => false };

/** True when two names, in any spelling, are the name of one account of a source. */
export const isSameName = ({ canonicalName }: Naming, one: string, other: string): boolean =>
  canonicalName(one) === canonicalName(other);

/** True when two ids, in any spelling, are the id of one account of a source. */
export const isSameId = ({ canonicalId }: Naming, one: string, other: string): boolean =>
  canonicalId(one) === canonicalId(other);

/**
 * Whether an account has the wanted value of each attribute, in any spelling.
 * @param valuesAt returns all values of one attribute
 */
export const hasValues = (
  { canonicalValue }: Naming,
  wanted: Readonly<Record<string, string>>,
  valuesAt: (attribute: string) => readonly string[],
): boolean =>
  Object.entries(wanted).every(([attribute, value]) => {
    const canonical = canonicalValue(attribute, value);
    return valuesAt(attribute).some((one) => canonicalValue(attribute, one) === canonical);
  });

/** An account in its source, as a link or the source names it. */
export interface NamedAccount {
  readonly name: string;
  /** Null where the source has no id, or Lockstep has not learnt it yet. */
  readonly nativeId: string | null;
}

/** Why a link names no account that may be written. */
export type LinkProblem = CodeOf<'rejected'> &
  ('no_account' | 'account_replaced' | 'account_renamed');

export type LinkedAccount<Account> =
  | { readonly found: true; readonly account: Account; readonly renamed: boolean }
  | { readonly found: false; readonly problem: LinkProblem };

/**
 * Decides which account of the source a link means. Every read, verification and write of an account goes by this
 * function: it accepts an account whose name and id agree with the link, or whose lasting id shows that the account was
 * renamed.
 * @param named the account that has the name of the link now, or null
 * @param identified the account that the source finds by the id of the link, or null. It need not be read when `named`
 *   has that id. It is ignored if it has another id, because a source may compare ids in its own way.
 */
export function linkedAccount<Account extends NamedAccount>(
  naming: Naming,
  link: NamedAccount,
  named: Account | null,
  identified: Account | null,
): LinkedAccount<Account> {
  const hasId = ({ nativeId }: NamedAccount) =>
    nativeId !== null && link.nativeId !== null && isSameId(naming, nativeId, link.nativeId);
  if (named !== null && (link.nativeId === null || hasId(named)))
    return { found: true, account: named, renamed: false };
  if (identified !== null && link.nativeId !== null && hasId(identified))
    return naming.isLasting(link.nativeId)
      ? { found: true, account: identified, renamed: true }
      : { found: false, problem: 'account_renamed' };
  return { found: false, problem: named === null ? 'no_account' : 'account_replaced' };
}
