import { hasValues, type Naming } from './naming';

/**
 * Finds which account in a source belongs to a person, when no account is linked. The rules of a source are tried in
 * turn (like PingDataSync's correlation attributes), and the first rule that finds exactly one account decides. Two
 * matches are refused and reported, because a guess could give the password of one person to another.
 *
 * A rule maps account attribute to attribute of the person; `name` stands for the name of the person.
 */
export type CorrelationRule = Readonly<Record<string, string>>;

export interface Person {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Two matches are enough to call a rule ambiguous, so no look-up asks a source for more. */
export const ENOUGH_TO_BE_AMBIGUOUS = 2;

/**
 * The values to look for in the source, as account attribute to value.
 * @returns null when the person lacks an attribute that the rule needs; an empty value never matches
 */
export function matchFor(rule: CorrelationRule, person: Person): Record<string, string> | null {
  const wanted = Object.entries(rule).map(([attribute, from]) => [
    attribute,
    from === 'name' ? person.name : person.attributes[from],
  ]);
  if (wanted.length === 0 || wanted.some(([, value]) => value === undefined || value === ''))
    return null;
  return Object.fromEntries(wanted);
}

export type Correlated<Account> =
  | { readonly found: 'one'; readonly account: Account }
  | { readonly found: 'none' }
  | { readonly found: 'several' };

export function decide<Account>(accounts: readonly Account[]): Correlated<Account> {
  const [first, second] = accounts;
  if (first === undefined) return { found: 'none' };
  return second === undefined ? { found: 'one', account: first } : { found: 'several' };
}

/** All values of each attribute of an account. */
export type AccountAttributes = Readonly<Record<string, readonly string[]>>;

/**
 * The keys under which an account is found by these attributes: one for each combination of its values. One of them is
 * the key of wanted values exactly if the account has these values (`hasValues`).
 */
export function accountKeys(
  naming: Naming,
  names: readonly string[],
  attributes: AccountAttributes,
): readonly string[] {
  const choices = names.map((name) =>
    (attributes[name] ?? []).map((value) => naming.canonicalValue(name, value)),
  );
  const combinations = choices.reduce<readonly (readonly string[])[]>(
    (made, values) => made.flatMap((before) => values.map((value) => [...before, value])),
    [[]],
  );
  return [...new Set(combinations.map((values) => JSON.stringify(values)))];
}

/** The key of wanted values, by attribute. */
export const keyOf = (naming: Naming, wanted: Readonly<Record<string, string>>): string =>
  JSON.stringify(
    Object.entries(wanted).map(([attribute, value]) => naming.canonicalValue(attribute, value)),
  );

/**
 * The accounts of a search that have the wanted values. A source may compare in a wider way than Lockstep does. An
 * attribute that an answer does not contain is taken as the source has compared it.
 */
const matching = <Account extends { readonly attributes: AccountAttributes }>(
  naming: Naming,
  wanted: Readonly<Record<string, string>>,
  accounts: readonly Account[],
): Account[] =>
  accounts.filter(({ attributes }) => {
    const shown = Object.entries(wanted).filter(([name]) => attributes[name] !== undefined);
    return hasValues(naming, Object.fromEntries(shown), (name) => attributes[name] ?? []);
  });

/**
 * Decides by the answer to a search, which has at most `ENOUGH_TO_BE_AMBIGUOUS` accounts. If the answer is full, a further
 * account may match, too.
 */
export function decideSearch<Account extends { readonly attributes: AccountAttributes }>(
  naming: Naming,
  wanted: Readonly<Record<string, string>>,
  accounts: readonly Account[],
): Correlated<Account> {
  return accounts.length < ENOUGH_TO_BE_AMBIGUOUS
    ? decide(matching(naming, wanted, accounts))
    : { found: 'several' };
}

/** Whether a rule matches an account, of which all values are known, with a person. */
export function isMatch(
  naming: Naming,
  rule: CorrelationRule,
  person: Person,
  attributes: AccountAttributes,
): boolean {
  const wanted = matchFor(rule, person);
  return wanted !== null && hasValues(naming, wanted, (name) => attributes[name] ?? []);
}
