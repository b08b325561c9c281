import { type Correlation, correlateAll } from './correlate-all';
import type { CorrelationRule, Person } from './correlation';
import { type LinkOfPerson, type MatchedLinks, matchLinks } from './match-links';
import type { AccountRules, NamedAccount } from './naming';

/** An account as the source lists it during a refresh, with all values of each attribute. */
export interface ListedAccount extends NamedAccount {
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

/** A person with their id, for matching accounts with people. */
export interface KnownPerson extends Person {
  readonly id: string;
}

export interface RefreshInput<Account extends ListedAccount, Known extends KnownPerson> {
  readonly accounts: readonly Account[];
  /** Accounts that cannot be stored. They are not linked, but a rule may match them as well as another account. */
  readonly unreadable: readonly Account[];
  /** False when accounts may be missing in the list. */
  readonly complete: boolean;
  readonly rules: AccountRules;
  readonly correlate: readonly CorrelationRule[];
  /**
   * The account attribute that names a new person, and the attributes of that person (attribute of the person to
   * account attribute). Undefined adds no people.
   */
  readonly createIdentities:
    | { readonly name: string; readonly attributes: Readonly<Record<string, string>> }
    | undefined;
  readonly people: readonly Known[];
  /** The links of this source. */
  readonly links: readonly LinkOfPerson[];
}

export interface SortedAccounts<Account, Known>
  extends Correlation<Account, Known>,
    Omit<MatchedLinks<Account>, 'free'> {
  readonly toAdd: readonly { readonly person: Person; readonly account: Account }[];
}

/** Decides for each account of a source what a refresh does with it: keep, link, add a person, or report it. */
export function sortAccounts<Account extends ListedAccount, Known extends KnownPerson>(
  input: RefreshInput<Account, Known>,
): SortedAccounts<Account, Known> {
  const { rules, accounts, unreadable, links, complete } = input;
  const { free, ...matched } = matchLinks(rules, accounts, links, unreadable, complete);
  const { toLink, unmatched, ambiguous } = correlateAll({
    ...input,
    naming: rules.naming,
    accounts: [...accounts, ...unreadable],
    free: new Set(free),
    linkedPeople: new Set(links.map(({ identityId }) => identityId)),
  });
  const added = newPeople(unmatched, input);
  return {
    ...matched,
    toLink,
    toAdd: [...added].map(([account, person]) => ({ account, person })),
    unmatched: unmatched.filter((account) => !added.has(account)),
    ambiguous,
  };
}

/**
 * The people to add, by account. An account whose name already belongs to a person, or to another account, is skipped.
 */
export function newPeople<Account extends ListedAccount>(
  accounts: readonly Account[],
  {
    createIdentities,
    people,
    rules,
  }: Pick<RefreshInput<Account, KnownPerson>, 'createIdentities' | 'people' | 'rules'>,
): Map<Account, Person> {
  const added = new Map<Account, Person>();
  if (createIdentities === undefined) return added;
  const key = (name: string) => rules.naming.canonicalValue(createIdentities.name, name);
  const usedNames = new Set(people.map(({ name }) => key(name)));
  for (const account of accounts) {
    const [name = ''] = account.attributes[createIdentities.name] ?? [];
    if (name === '' || usedNames.has(key(name))) continue;
    usedNames.add(key(name));
    const attributes = Object.entries(createIdentities.attributes)
      .map(([attribute, from]) => [attribute, account.attributes[from]?.[0]])
      .filter(([, value]) => value !== undefined);
    added.set(account, { name, attributes: Object.fromEntries(attributes) });
  }
  return added;
}
