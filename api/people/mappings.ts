import type { Issue } from '../../intake/rejected';
import type { Configuration } from '../../model/configuration/document';
import { own } from '../http/own';

interface Account {
  readonly source: string;
  readonly name: string;
}

interface WantedMapping {
  readonly application: string;
  readonly source?: string | undefined;
  /** Its name; may be left out when the person has only one in the source of the application. */
  readonly account?: string | undefined;
  readonly enabled: boolean;
}

export interface ResolvedMapping {
  readonly application: string;
  readonly account: Account;
  readonly enabled: boolean;
}

/** Which account each mapping means, and what is wrong with those that mean none. */
export function resolveMappings(
  configuration: Configuration,
  accounts: readonly Account[],
  wanted: readonly WantedMapping[],
): { readonly mappings: readonly ResolvedMapping[]; readonly issues: readonly Issue[] } {
  const resolved = wanted.map((mapping) => resolve(configuration, accounts, mapping));
  return {
    mappings: resolved.flatMap((one) => ('flaw' in one ? [] : [one])),
    issues: resolved.flatMap((one, index) =>
      'flaw' in one ? [{ path: ['mappings', index, one.flaw], says: one.says }] : [],
    ),
  };
}

interface Flaw {
  readonly flaw: keyof WantedMapping;
  readonly says: string;
}

function resolve(
  { applications }: Configuration,
  accounts: readonly Account[],
  { application, source, account, enabled }: WantedMapping,
): ResolvedMapping | Flaw {
  const known = own(applications, application);
  if (known === undefined) return { flaw: 'application', says: 'there is no such application' };
  if (source !== undefined && source !== known.source)
    return { flaw: 'source', says: `the source of this application is ${known.source}` };
  const names = accounts.filter((one) => one.source === known.source).map(({ name }) => name);
  const [only, another] = new Set(account === undefined ? names : [account]);
  if (only === undefined || !names.includes(only))
    return { flaw: 'account', says: `the person has no such account in ${known.source}` };
  if (another !== undefined)
    return {
      flaw: 'account',
      says: `the person has several accounts in ${known.source}: name one`,
    };
  return { application, account: { source: known.source, name: only }, enabled };
}

export const unknownSources = ({ sources }: Configuration, accounts: readonly Account[]): Issue[] =>
  accounts.flatMap(({ source }, index) =>
    own(sources, source) === undefined
      ? [{ path: ['accounts', index, 'source'], says: 'there is no such source' }]
      : [],
  );
