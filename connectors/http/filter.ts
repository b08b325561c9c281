type Match = Readonly<Record<string, string>>;

/** Builds a filter `name eq "value" and …`, with values as in JSON (RFC 7644 §3.4.2.2), as PingOne and Okta expect too. */
export const scimFilter = (match: Match): string =>
  Object.entries(match)
    .map(([name, value]) => `${name} eq ${JSON.stringify(value)}`)
    .join(' and ');
