import type { Naming } from '../../model/people/naming';

type Match = Readonly<Record<string, string>>;

/** Builds a filter `name eq "value" and …`, with values as in JSON (RFC 7644 §3.4.2.2), as PingOne and Okta expect too. */
export const scimFilter = (match: Match): string =>
  Object.entries(match)
    .map(([name, value]) => `${name} eq ${JSON.stringify(value)}`)
    .join(' and ');

/** Whether a returned account matches. A server that does not support a filter returns all accounts. */
export const matches = (
  { canonicalValue }: Naming,
  match: Match,
  valuesAt: (name: string) => readonly string[],
): boolean =>
  Object.entries(match).every(([name, value]) =>
    valuesAt(name).some(
      (candidate) => canonicalValue(name, candidate) === canonicalValue(name, value),
    ),
  );
