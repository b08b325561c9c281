import { rulesIn } from '../../intake/find-person';
import type { Issue } from '../../intake/rejected';
import {
  applicationNamed,
  type Configuration,
  sourceNamed,
} from '../../model/configuration/document';
import { allowsOne, mayHaveMapping } from '../../model/people/mapping-plan';
import { isSameName } from '../../model/people/naming';

interface Account {
  readonly source: string;
  readonly name: string;
}

interface WantedMapping {
  readonly application: string;
  readonly source?: string | undefined;
  /** The name of the account. Optional if the person has only one in the source of the application. */
  readonly account?: string | undefined;
  readonly enabled: boolean;
}

export interface ResolvedMapping {
  readonly application: string;
  readonly account: Account;
  readonly enabled: boolean;
  /** Whether a person has at most one mapping of the application. */
  readonly allowsOne: boolean;
}

/** Finds the account that each mapping refers to, and reports the mappings that refer to none. */
export function resolveMappings(
  configuration: Configuration,
  person: string,
  accounts: readonly Account[],
  wanted: readonly WantedMapping[],
): { readonly mappings: readonly ResolvedMapping[]; readonly issues: readonly Issue[] } {
  const resolved = wanted.map((mapping) => resolve(configuration, person, accounts, mapping));
  return {
    mappings: resolved.flatMap((result) => ('flaw' in result ? [] : [result])),
    issues: resolved.flatMap((result, index) =>
      'flaw' in result ? [{ path: ['mappings', index, result.flaw], says: result.says }] : [],
    ),
  };
}

interface Flaw {
  /** The member of the mapping that is wrong. */
  readonly flaw: keyof WantedMapping;
  readonly says: string;
}

function resolve(
  configuration: Configuration,
  person: string,
  accounts: readonly Account[],
  { application, source, account, enabled }: WantedMapping,
): ResolvedMapping | Flaw {
  const configured = applicationNamed(configuration, application);
  if (configured === undefined)
    return { flaw: 'application', says: 'is not an application of the configuration' };
  if (source !== undefined && source !== configured.source)
    return {
      flaw: 'source',
      says: `is not the source of this application, which is "${configured.source}"`,
    };
  if (!mayHaveMapping(configured, person))
    return {
      flaw: 'application',
      says: 'is of the type "group"; only the identities of its list "shared" have a mapping',
    };
  const { canonicalName } = rulesIn(configuration, configured.source).naming;
  const names = new Map(
    accounts
      .filter((linked) => linked.source === configured.source)
      .map(({ name }) => [canonicalName(name), name]),
  );
  const [only, another] = account === undefined ? [...names.keys()] : [canonicalName(account)];
  const name = names.get(only ?? '');
  if (name === undefined)
    return {
      flaw: 'account',
      says: `does not name an account of the person in "${configured.source}"`,
    };
  if (another !== undefined)
    return {
      flaw: 'account',
      says: `is needed, because the person has several accounts in "${configured.source}"`,
    };
  return {
    application,
    account: { source: configured.source, name },
    enabled,
    allowsOne: allowsOne(configured),
  };
}

/** Whether two references, in any spelling, name one account. */
export const isSameAccount = (
  configuration: Configuration,
  account: Account,
  other: Account,
): boolean =>
  account.source === other.source &&
  isSameName(rulesIn(configuration, account.source).naming, account.name, other.name);

export const unknownSources = (
  configuration: Configuration,
  accounts: readonly Account[],
): Issue[] =>
  accounts.flatMap(({ source }, index) =>
    sourceNamed(configuration, source) === undefined
      ? [{ path: ['accounts', index, 'source'], says: 'is not a source of the configuration' }]
      : [],
  );
