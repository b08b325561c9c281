/**
 * Which account in a source belongs to a person, when nobody linked one. The rules of a source are tried in turn (as
 * PingDataSync's correlation attributes are); the first that finds exactly one account decides. Two are refused and
 * reported: a guess would give somebody's password to somebody else.
 */
export type CorrelationRule = Readonly<Record<string, string>>;

export interface Person {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * What to ask the source for: account attribute to value.
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
