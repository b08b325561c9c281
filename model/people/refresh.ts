import { type CorrelationRule, matchFor, type Person } from './correlation';

/** An account as the source lists it during a refresh, with all values of each attribute. */
export interface ListedAccount {
  readonly name: string;
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

interface KnownPerson extends Person {
  readonly id: string;
}

export interface RefreshInput<Account extends ListedAccount, Known extends KnownPerson> {
  readonly accounts: readonly Account[];
  readonly correlate: readonly CorrelationRule[];
  /**
   * The account attribute that names a new person, and the attributes of that person (attribute of the person to
   * account attribute). Undefined adds no people.
   */
  readonly createIdentities:
    | { readonly name: string; readonly attributes: Readonly<Record<string, string>> }
    | undefined;
  readonly people: readonly Known[];
  /** The linked accounts of this source: account name to id of the person. */
  readonly linked: ReadonlyMap<string, string>;
}

export interface SortedAccounts<Account, Known> {
  readonly alreadyLinked: number;
  readonly toLink: readonly { readonly person: Known; readonly account: Account }[];
  readonly toAdd: readonly { readonly person: Person; readonly account: Account }[];
  readonly unmatched: readonly Account[];
  /** Accounts that match two people, or of which several match one person: refused and reported, never guessed. */
  readonly ambiguous: readonly Account[];
}

/** Decides for each account of a source what a refresh does with it: keep, link, add a person, or report it. */
export function sortAccounts<Account extends ListedAccount, Known extends KnownPerson>(
  input: RefreshInput<Account, Known>,
): SortedAccounts<Account, Known> {
  const free = input.accounts.filter(({ name }) => !input.linked.has(name));
  const matcher = matcherOf(input);
  const matched = free.map((account) => ({ account, people: matcher(account) }));
  const claims = claimsOn(input, matched);

  const toLink: { person: Known; account: Account }[] = [];
  const ambiguous: Account[] = [];
  for (const { account, people } of matched) {
    const [person, another] = people;
    if (person === undefined) continue;
    if (another === undefined && claims.get(person.id) === 1) toLink.push({ person, account });
    else ambiguous.push(account);
  }
  const unmatched = matched
    .filter(({ people }) => people.length === 0)
    .map(({ account }) => account);
  const added = newPeople(unmatched, input);
  return {
    alreadyLinked: input.accounts.length - free.length,
    toLink,
    toAdd: [...added].map(([account, person]) => ({ account, person })),
    unmatched: unmatched.filter((account) => !added.has(account)),
    ambiguous,
  };
}

/** Indexes the people by what each rule compares, so that a large source costs one look-up per account. */
function matcherOf<Account extends ListedAccount, Known extends KnownPerson>({
  correlate,
  people,
}: RefreshInput<Account, Known>): (account: ListedAccount) => readonly Known[] {
  const indexes = correlate.map((rule) => {
    const index = new Map<string, Known[]>();
    for (const person of people) {
      const wanted = matchFor(rule, person);
      if (wanted === null) continue;
      const key = keyOf(rule, wanted);
      index.set(key, [...(index.get(key) ?? []), person]);
    }
    return { rule, index };
  });
  return (account) => {
    for (const { rule, index } of indexes) {
      const found = index.get(keyOf(rule, firstValues(account)));
      if (found !== undefined) return found;
    }
    return [];
  };
}

const keyOf = (rule: CorrelationRule, values: Readonly<Record<string, string>>): string =>
  JSON.stringify(Object.keys(rule).map((attribute) => values[attribute] ?? null));

const firstValues = ({ attributes }: ListedAccount): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([name, [value]]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );

/** Number of accounts of the source that each person would have, linked ones included, by the id of the person. */
function claimsOn<Account extends ListedAccount, Known extends KnownPerson>(
  { linked }: RefreshInput<Account, Known>,
  matched: readonly { readonly people: readonly Known[] }[],
): Map<string, number> {
  const claims = new Map<string, number>();
  const claim = (id: string) => claims.set(id, (claims.get(id) ?? 0) + 1);
  for (const id of linked.values()) claim(id);
  for (const { people } of matched) for (const { id } of people) claim(id);
  return claims;
}

/**
 * The people to add, by account. An account whose name already belongs to a person, or to another account, is skipped.
 */
function newPeople<Account extends ListedAccount, Known extends KnownPerson>(
  accounts: readonly Account[],
  { createIdentities, people }: RefreshInput<Account, Known>,
): Map<Account, Person> {
  const added = new Map<Account, Person>();
  if (createIdentities === undefined) return added;
  const usedNames = new Set(people.map(({ name }) => name));
  for (const account of accounts) {
    const values = firstValues(account);
    const name = values[createIdentities.name] ?? '';
    if (name === '' || usedNames.has(name)) continue;
    usedNames.add(name);
    const attributes = Object.entries(createIdentities.attributes)
      .map(([attribute, from]) => [attribute, values[from]])
      .filter(([, value]) => value !== undefined);
    added.set(account, { name, attributes: Object.fromEntries(attributes) });
  }
  return added;
}
