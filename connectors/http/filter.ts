type Match = Readonly<Record<string, string>>;

/** Builds a filter `name eq "value" and …`, with values as in JSON (RFC 7644 §3.4.2.2), as PingOne and Okta expect too. */
export const scimFilter = (match: Match): string =>
  Object.entries(match)
    .map(([name, value]) => `${name} eq ${JSON.stringify(value)}`)
    .join(' and ');

/**
 * Whether a returned account matches, without regard to case, as servers compare. A server that does not support a filter
 * returns all accounts, so each must be compared.
 */
export const matches = (match: Match, valuesAt: (name: string) => readonly string[]): boolean =>
  Object.entries(match).every(([name, value]) =>
    valuesAt(name).some((candidate) => candidate.toLowerCase() === value.toLowerCase()),
  );
