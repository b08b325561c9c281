import {
  type AccountAttributes,
  accountKeys,
  type CorrelationRule,
  keyOf,
  matchFor,
  type Person,
} from './correlation';
import type { Naming } from './naming';

interface Listed {
  readonly attributes: AccountAttributes;
}

interface Known extends Person {
  readonly id: string;
}

export interface CorrelationInput<Account extends Listed, Someone extends Known> {
  /** All accounts of the source. */
  readonly accounts: readonly Account[];
  /** Those that may be linked. */
  readonly free: ReadonlySet<Account>;
  readonly people: readonly Someone[];
  /** The ids of the people who have a linked account in the source. */
  readonly linkedPeople: ReadonlySet<string>;
  readonly correlate: readonly CorrelationRule[];
  readonly naming: Naming;
}

export interface Correlation<Account, Someone> {
  readonly toLink: readonly { readonly person: Someone; readonly account: Account }[];
  /** Accounts that match no person. */
  readonly unmatched: readonly Account[];
  /** Accounts that match two people, or of which several match one person: refused and reported, never guessed. */
  readonly ambiguous: readonly Account[];
}

/**
 * Finds the accounts of all people in a list, by the decisions of a change that searches for the account of one person:
 * the first rule that finds an account decides, two accounts are ambiguous, and so is an account that any rule matches
 * with another person.
 */
export function correlateAll<Account extends Listed, Someone extends Known>(
  input: CorrelationInput<Account, Someone>,
): Correlation<Account, Someone> {
  const indexes = input.correlate.map((rule) => indexOf(rule, input));
  const matchedBy = (account: Account) => [
    ...new Set(
      indexes.flatMap(({ names, people }) =>
        accountKeys(input.naming, names, account.attributes).flatMap(
          (key) => people.get(key) ?? [],
        ),
      ),
    ),
  ];
  const toLink = input.people
    .filter(({ id }) => !input.linkedPeople.has(id))
    .flatMap((person) => {
      const decisive = indexes.map(({ found }) => found(person)).find(({ length }) => length > 0);
      const [account, another] = decisive ?? [];
      const isOnly = account !== undefined && another === undefined && input.free.has(account);
      return isOnly && matchedBy(account).length === 1 ? [{ person, account }] : [];
    });
  const linked = new Set(toLink.map(({ account }) => account));
  const rest = [...input.free].filter((account) => !linked.has(account));
  const isMatched = new Map(rest.map((account) => [account, matchedBy(account).length > 0]));
  return {
    toLink,
    unmatched: rest.filter((account) => !isMatched.get(account)),
    ambiguous: rest.filter((account) => isMatched.get(account)),
  };
}

/** Indexes accounts and people by what a rule compares, so that a large source costs one look-up per account. */
function indexOf<Account extends Listed, Someone extends Known>(
  rule: CorrelationRule,
  { accounts, people, naming }: CorrelationInput<Account, Someone>,
) {
  const names = Object.keys(rule);
  const wantedBy = (person: Someone): string | null => {
    const wanted = matchFor(rule, person);
    return wanted && keyOf(naming, wanted);
  };
  const byKey = grouped(accounts, ({ attributes }) => accountKeys(naming, names, attributes));
  return {
    names,
    people: grouped(people, (person) => [wantedBy(person)].filter((key) => key !== null)),
    found: (person: Someone): readonly Account[] => byKey.get(wantedBy(person) ?? '') ?? [],
  };
}

/** Groups items by each of their keys. */
export function grouped<Item>(
  items: readonly Item[],
  keysOf: (item: Item) => readonly string[],
): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items)
    for (const key of keysOf(item)) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [item]);
      else group.push(item);
    }
  return groups;
}
