import type { Naming } from './naming';

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
 * The keys under which an account with these attributes is found by a rule: one for each combination of its values. A
 * person is found under the one key of the values that the rule wants (`wantedKey`).
 */
export function accountKeys(
  naming: Naming,
  rule: CorrelationRule,
  attributes: AccountAttributes,
): readonly string[] {
  const choices = Object.keys(rule).map((attribute) =>
    (attributes[attribute] ?? []).map((value) => naming.canonicalValue(attribute, value)),
  );
  const combinations = choices.reduce<readonly (readonly string[])[]>(
    (made, values) => made.flatMap((before) => values.map((value) => [...before, value])),
    [[]],
  );
  return [...new Set(combinations.map((values) => JSON.stringify(values)))];
}

/** @returns null when the person lacks an attribute that the rule needs */
export function wantedKey(naming: Naming, rule: CorrelationRule, person: Person): string | null {
  const wanted = matchFor(rule, person);
  return (
    wanted &&
    JSON.stringify(
      Object.keys(rule).map((attribute) =>
        naming.canonicalValue(attribute, wanted[attribute] ?? ''),
      ),
    )
  );
}

/**
 * Whether a rule matches an account with a person. The refresh, and a change that looks for an account, both go by this
 * comparison; the search of a source may find more.
 */
export function isMatch(
  naming: Naming,
  rule: CorrelationRule,
  person: Person,
  attributes: AccountAttributes,
): boolean {
  const wanted = wantedKey(naming, rule, person);
  return wanted !== null && accountKeys(naming, rule, attributes).includes(wanted);
}
