type Match = Readonly<Record<string, string>>;

/** `name eq "value" and …`: a value is written as in JSON (RFC 7644 §3.4.2.2), which PingOne and Okta do too. */
export const scimFilter = (match: Match): string =>
  Object.entries(match)
    .map(([name, value]) => `${name} eq ${JSON.stringify(value)}`)
    .join(' and ');

/**
 * Servers that do not know a filter answer with everybody, so what comes back is compared, without regard to case, as
 * the servers do.
 */
export const matches = (match: Match, valuesAt: (name: string) => readonly string[]): boolean =>
  Object.entries(match).every(([name, value]) =>
    valuesAt(name).some((one) => one.toLowerCase() === value.toLowerCase()),
  );
