import { type CorrelationRule, matchFor, type Person } from './correlation';

/** What a refresh makes of the accounts of a source: whose each one is, or why nobody's. */

export interface ListedAccount {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

interface KnownPerson extends Person {
  readonly id: string;
}

export interface RefreshInput<Account extends ListedAccount, Known extends KnownPerson> {
  readonly accounts: readonly Account[];
  readonly correlate: readonly CorrelationRule[];
  /** Account attribute that names a new person, and attribute of the person to account attribute. */
  readonly createIdentities:
    | { readonly name: string; readonly attributes: Readonly<Record<string, string>> }
    | undefined;
  readonly people: readonly Known[];
  /** Accounts of this source that belong to somebody, and to whom. */
  readonly linked: ReadonlyMap<string, string>;
}

export interface SortedAccounts<Account, Known> {
  readonly alreadyLinked: number;
  readonly toLink: readonly { readonly person: Known; readonly account: Account }[];
  readonly toAdd: readonly { readonly person: Person; readonly account: Account }[];
  readonly unmatched: readonly Account[];
  /** One account that fits two people, or two accounts that fit one: refused and reported, never guessed. */
  readonly ambiguous: readonly Account[];
}

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
  const nobodys = matched.filter(({ people }) => people.length === 0).map((one) => one.account);
  const added = newPeople(nobodys, input);
  return {
    alreadyLinked: input.accounts.length - free.length,
    toLink,
    toAdd: [...added].map(([account, person]) => ({ account, person })),
    unmatched: nobodys.filter((account) => !added.has(account)),
    ambiguous,
  };
}

/** People by what each rule compares, so that a large source takes one look-up an account. */
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
      const found = index.get(keyOf(rule, account.attributes));
      if (found !== undefined) return found;
    }
    return [];
  };
}

const keyOf = (rule: CorrelationRule, values: Readonly<Record<string, string>>): string =>
  JSON.stringify(Object.keys(rule).map((attribute) => values[attribute] ?? null));

/** How many accounts of the source each person would have, those linked already included. */
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

/** One that another account, or somebody known, is already called is left alone. */
function newPeople<Account extends ListedAccount, Known extends KnownPerson>(
  accounts: readonly Account[],
  { createIdentities, people }: RefreshInput<Account, Known>,
): Map<Account, Person> {
  const added = new Map<Account, Person>();
  if (createIdentities === undefined) return added;
  const taken = new Set(people.map(({ name }) => name));
  for (const account of accounts) {
    const name = account.attributes[createIdentities.name] ?? '';
    if (name === '' || taken.has(name)) continue;
    taken.add(name);
    const attributes = Object.entries(createIdentities.attributes)
      .map(([attribute, from]) => [attribute, account.attributes[from]])
      .filter(([, value]) => value !== undefined);
    added.set(account, { name, attributes: Object.fromEntries(attributes) });
  }
  return added;
}
