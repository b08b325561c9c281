import type { Application } from '../configuration/application';
import { applicationNamed } from '../configuration/document';
import { grouped } from './correlate-all';
import type { StoredProblem } from './links';
import { type MappingRowReason, type MappingRowStatus, mappingRowReasons } from './mapping-rows';
import type { AccountRules } from './naming';

/**
 * Decides what becomes of each row of a list of mappings, such as a CSV file or names that a rule generates. A conflict
 * is reported and never guessed: no row of it is created.
 */

/** A row as the list has it. The person is named, or is the one who has an account in another source. */
export interface WantedRow {
  readonly application: string;
  readonly identity?: string | undefined;
  readonly owner?: { readonly source: string; readonly account: string } | undefined;
  /** The account in the source of the application. Optional if the person has only one there. */
  readonly account?: string | undefined;
}

export interface KnownPerson {
  readonly id: string;
  readonly name: string;
}

export interface KnownAccount {
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly identityId: string;
  readonly identity: string;
  readonly problem: StoredProblem | null;
}

export interface KnownMapping {
  readonly application: string;
  readonly identityId: string;
  readonly accountId: string;
}

/** What Lockstep knows of the people, accounts and applications that the rows name. */
export interface MappingFacts {
  readonly applications: Readonly<Record<string, Application>>;
  readonly rulesOf: (source: string) => AccountRules;
  readonly people: readonly KnownPerson[];
  /** The accounts that the rows name, and all accounts of the people in the sources of the applications. */
  readonly accounts: readonly KnownAccount[];
  readonly mappings: readonly KnownMapping[];
}

/** What becomes of a row. */
export interface PlannedMapping {
  readonly status: Exclude<MappingRowStatus, 'created'>;
  /** Why it is not created; null if it is. */
  readonly reason: MappingRowReason | null;
  readonly application: string;
  /** The name of the person; as the row has it, if there is no such person. */
  readonly identity: string;
  /** The account; as the row has it, if it is not known; null if the row has none. */
  readonly account: string | null;
  /** What is created; null for a row that is not. */
  readonly creates: {
    readonly identityId: string;
    readonly source: string;
    readonly account: string;
    /** Null if the account is linked to the person first. */
    readonly accountId: string | null;
  } | null;
}

/** Whether a person, or an identity whose account people share, has at most one mapping of the application. */
export const allowsOne = ({ type }: Pick<Application, 'type'>): boolean => type !== 'host-group';

/** Whether a person may have a mapping of their own. In a `group` application only the shared identities have one. */
export const mayHaveMapping = (
  { type, shared }: Pick<Application, 'type' | 'shared'>,
  identity: string,
): boolean => type !== 'group' || shared.some((one) => one.identity === identity);

/** @param link whether accounts that are linked to no one are linked to the person of the row */
export function planMappings(
  facts: MappingFacts,
  rows: readonly WantedRow[],
  link: boolean,
): PlannedMapping[] {
  const index = indexOf(facts);
  const resolved = rows.map((row) => resolve(facts, index, row));
  const list = listIndexOf(resolved);
  return resolved.map((one, position) => {
    const { application, identity, account, target } = one;
    const reason =
      target === null ? one.flaw : reasonOf(index, list, { ...target, position, link });
    const creates = reason === null && target !== null ? createdOf(target) : null;
    const status = reason === null ? 'create' : mappingRowReasons[reason].status;
    return { status, reason, application, identity, account, creates };
  });
}

/** A row whose application, person and account are clear. */
interface Target {
  readonly application: string;
  readonly configured: Application;
  readonly person: KnownPerson;
  /** The name of the account: as it is stored, if it is linked. */
  readonly name: string;
  readonly key: string;
  /** Null if the account is linked to no one. */
  readonly linked: KnownAccount | null;
  readonly isServiceAccount: boolean;
}

type Resolved = Pick<PlannedMapping, 'application' | 'identity' | 'account'> &
  (
    | { readonly target: Target; readonly flaw: null }
    | { readonly target: null; readonly flaw: MappingRowReason }
  );

const createdOf = ({ person, configured, name, linked }: Target): PlannedMapping['creates'] => ({
  identityId: person.id,
  source: configured.source,
  account: name,
  accountId: linked?.id ?? null,
});

const joined = (...parts: readonly string[]): string => JSON.stringify(parts);

function indexOf({ people, accounts, mappings, rulesOf }: MappingFacts) {
  const keyOf = (source: string, name: string) =>
    joined(source, rulesOf(source).naming.canonicalName(name));
  return {
    byName: new Map(people.map((person) => [person.name, person])),
    byFoldedName: grouped(people, ({ name }) => [name.toLowerCase()]),
    byAccount: grouped(accounts, ({ source, name }) => [keyOf(source, name)]),
    byOwner: grouped(accounts, ({ source, identityId }) => [joined(source, identityId)]),
    mapped: new Set(mappings.map((one) => joined(one.application, one.accountId))),
    mappedPeople: new Set(mappings.map((one) => joined(one.application, one.identityId))),
    keyOf,
  };
}

type Index = ReturnType<typeof indexOf>;

function resolve(facts: MappingFacts, index: Index, row: WantedRow): Resolved {
  const { application, owner, account = null } = row;
  const found = personOf(index, row);
  const person = typeof found === 'string' ? null : found;
  const shown = {
    application,
    identity: person?.name ?? row.identity ?? owner?.account ?? '',
    account,
  };
  const flawed = (flaw: MappingRowReason): Resolved => ({ ...shown, target: null, flaw });
  const configured = applicationNamed(facts, application);
  if (configured === undefined) return flawed('application_unknown');
  if (typeof found === 'string') return flawed(found);
  const { source } = configured;
  const own = index.byOwner.get(joined(source, found.id)) ?? [];
  if (account === null && own.length !== 1)
    return flawed(own.length === 0 ? 'no_account' : 'several_accounts');
  const given = account ?? own[0]?.name ?? '';
  const key = index.keyOf(source, given);
  const [linked = null, another] = index.byAccount.get(key) ?? [];
  if (another !== undefined || linked?.problem === 'linked_twice') return flawed('linked_twice');
  if (linked !== null && linked.identityId !== found.id) return flawed('account_of_another');
  const name = linked?.name ?? given;
  const isServiceAccount = facts.rulesOf(source).isServiceAccount(name);
  const target = { application, configured, person: found, name, key, linked, isServiceAccount };
  return { ...shown, account: name, target, flaw: null };
}

function personOf(
  { byName, byFoldedName, byAccount, keyOf }: Index,
  { identity, owner }: WantedRow,
): KnownPerson | 'identity_unknown' | 'several_people' | 'linked_twice' {
  if (identity !== undefined) {
    const exact = byName.get(identity);
    if (exact !== undefined) return exact;
    const [only, another] = byFoldedName.get(identity.toLowerCase()) ?? [];
    return another === undefined ? (only ?? 'identity_unknown') : 'several_people';
  }
  const accounts = owner === undefined ? [] : byAccount.get(keyOf(owner.source, owner.account));
  const [account, another] = accounts ?? [];
  if (account === undefined) return 'identity_unknown';
  if (another !== undefined || account.problem === 'linked_twice') return 'linked_twice';
  return { id: account.identityId, name: account.identity };
}

/** What the list as a whole wants: the first row of each mapping, the accounts of each person, the people of each account. */
function listIndexOf(resolved: readonly Resolved[]) {
  const first = new Map<string, number>();
  const accounts = new Map<string, Set<string>>();
  const people = new Map<string, Set<string>>();
  const add = (to: Map<string, Set<string>>, key: string, value: string) =>
    to.set(key, (to.get(key) ?? new Set()).add(value));
  for (const [position, { target }] of resolved.entries()) {
    if (target === null) continue;
    const { application, person, key } = target;
    const whole = joined(application, person.id, key);
    if (!first.has(whole)) first.set(whole, position);
    add(accounts, joined(application, person.id), key);
    add(people, key, person.id);
  }
  return { first, accounts, people };
}

interface Row extends Target {
  readonly position: number;
  readonly link: boolean;
}

/** The first row of the table that applies decides. */
const rules: readonly (readonly [
  MappingRowReason,
  (row: Row, index: Index, list: ReturnType<typeof listIndexOf>) => boolean,
])[] = [
  [
    'mapped',
    ({ application, linked }, { mapped }) =>
      linked !== null && mapped.has(joined(application, linked.id)),
  ],
  ['not_shared', ({ configured, person }) => !mayHaveMapping(configured, person.name)],
  [
    'person_mapped',
    ({ application, configured, person }, { mappedPeople }) =>
      allowsOne(configured) && mappedPeople.has(joined(application, person.id)),
  ],
  ['account_unknown', ({ linked, link }) => linked === null && !link],
  ['service_account', ({ linked, isServiceAccount }) => linked === null && isServiceAccount],
  ['account_twice_in_list', ({ key }, _, { people }) => (people.get(key)?.size ?? 0) > 1],
  [
    'several_in_list',
    ({ application, configured, person }, _, { accounts }) =>
      allowsOne(configured) && (accounts.get(joined(application, person.id))?.size ?? 0) > 1,
  ],
  [
    'repeated',
    ({ application, person, key, position }, _, { first }) =>
      first.get(joined(application, person.id, key)) !== position,
  ],
];

const reasonOf = (
  index: Index,
  list: ReturnType<typeof listIndexOf>,
  row: Row,
): MappingRowReason | null => rules.find(([, applies]) => applies(row, index, list))?.[0] ?? null;
