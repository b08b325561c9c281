import type { Group, Lane, Source, SourceAdapter } from '../configuration/group';
import { adapterUse, type MappingUse } from './adapter-rules';
import type { Role } from './change';

/** When a person has more accounts than this in one source, the first pass over it takes the queue lane. */
const HANDFUL = 8;

export interface LinkedAccount {
  readonly id: string;
  readonly source: string;
  /** The name of the account in its source: a DN, a role name, a row key. */
  readonly name: string;
  readonly primary: boolean;
  /** The mappings of the account; absent for none. Only adapters use them. */
  readonly mappings?: readonly MappingUse[];
}

/** One account of a plan. It becomes one outcome row. */
export interface PlannedAccount {
  /** Unique in the change and not personal: the source name, with a number from the second account on (`crm:2`). */
  readonly label: string;
  readonly source: string;
  /** Null when the account still has to be found by the correlation rules of its source. */
  readonly accountId: string | null;
  readonly accountName: string | null;
  readonly role: Role;
  /** The rule that leaves the account out; null when it is to be changed. */
  readonly leftOut: LeaveOutCode | null;
}

/** One step of the first pass: all sources of the inline lane, or one source of the queue lane. */
export type Pass =
  | { readonly lane: 'inline'; readonly sources: readonly string[] }
  | { readonly lane: 'queue'; readonly source: string };

export interface PlanInput {
  /** Every group that the change covers. They share one auth source. */
  readonly groups: readonly Group[];
  readonly sources: readonly Source[];
  readonly accounts: readonly LinkedAccount[];
  /** The account in which the password was changed. It holds the password, so no adapter keeps it from there. */
  readonly originAccountId?: string | null;
}

interface LeaveOutRule {
  /** The reason, as people read it. */
  readonly says: string;
  /** True when the plan leaves the account out for this reason. */
  readonly applies: (account: LinkedAccount, source: Source, input: PlanInput) => boolean;
}

/**
 * The rules by which a plan leaves out an account of the person although its source is in the group. The first rule
 * that applies is the reason. ADD A NEW RULE HERE: a row with its sentence and its condition is all that it takes; its
 * key becomes a `LeaveOutCode`, which the api and the CLI show. The rules see linked accounts; `toBeFound` decides for
 * an account that no link names yet.
 */
export const leaveOutRules = {
  source_disabled: {
    says: 'The source is switched off in the configuration, so the account is not changed.',
    applies: (_account, source) => !source.enabled,
  },
  adapter_disabled: adapterRule(
    'The adapter of the source is disabled, so the account is not changed. Enable it with "lockstep adapters enable".',
    ({ enabled }) => !enabled,
  ),
  sync_to_adapter_off: adapterRule(
    'The adapter of the source gets no changes: its flag syncToAdapter is off.',
    ({ syncToAdapter }) => !syncToAdapter,
  ),
  windows_to_adapters_off: adapterRule(
    'No adapter gets changes: the switch windowsToAdapters is off. "lockstep sso switches" sets it.',
    ({ switchedOn }) => !switchedOn,
  ),
  not_mapped: adapterRule(
    'No application of the adapter has a mapping of the account, so the account is not changed.',
    (adapter, account) => adapterUse(adapter, account) === 'not_mapped',
  ),
  mapping_disabled: adapterRule(
    'The mapping of the account is disabled, so its adapter does not change the account.',
    (adapter, account) => adapterUse(adapter, account) === 'mapping_disabled',
  ),
  application_disabled: adapterRule(
    'The application of the account is disabled, so its adapter does not change the account.',
    (adapter, account) => adapterUse(adapter, account) === 'application_disabled',
  ),
  not_primary: {
    says: 'The source has several accounts of this person and multipleAccountPasswordSync is not set, so only the primary account is changed.',
    applies: (account, source, { accounts }) =>
      !source.multipleAccountPasswordSync && primaryIn(source.name, accounts)?.id !== account.id,
  },
} as const satisfies Record<string, LeaveOutRule>;

/** A rule about the accounts of an adapter, except the one in which the password was changed. */
function adapterRule(
  says: string,
  leavesOut: (adapter: SourceAdapter, account: LinkedAccount) => boolean,
): LeaveOutRule {
  return {
    says,
    applies: (account, { adapter }, { originAccountId }) =>
      adapter !== undefined && account.id !== originAccountId && leavesOut(adapter, account),
  };
}

/** The reasons for leaving an account out that show only while the change is carried out, after the plan. */
const leftOutLater = {
  origin: 'The password was changed in this account, so it is not written back.',
  already_held: 'The account already held the new password, so nothing was written.',
  no_account_found: 'The correlation rules find no account of this person in the source.',
  unlinked: 'The account was unlinked from this person during the change.',
  auth_unchanged: 'The auth account does not hold the new password, so this account was not tried.',
  others_unchanged:
    'The group is directory-last, and another account did not take the new password.',
  source_removed: 'The source was removed from the configuration during the change.',
} as const;

type LeaveOutRuleCode = keyof typeof leaveOutRules;

/** Why an account of the person was not changed although nothing failed in it. */
export type LeaveOutCode = LeaveOutRuleCode | keyof typeof leftOutLater;

const ruleEntries = Object.entries(leaveOutRules) as [LeaveOutRuleCode, LeaveOutRule][];

/** The sentence of each reason. */
export const leaveOutSays: Readonly<Record<LeaveOutCode, string>> = {
  ...(Object.fromEntries(ruleEntries.map(([code, { says }]) => [code, says])) as Record<
    LeaveOutRuleCode,
    string
  >),
  ...leftOutLater,
};

/** The account marked primary, else the first linked one, as in SailPoint's pass-through (reference semantics §6.5). */
function primaryIn(source: string, accounts: readonly LinkedAccount[]): LinkedAccount | undefined {
  const here = accounts.filter((account) => account.source === source);
  return here.find((account) => account.primary) ?? here[0];
}

/**
 * Plans a change: which accounts of the person it changes, in which order, and why it leaves out the others. The auth
 * account comes first (last when a group is directory-last), the others in the order of the groups. A disabled account
 * is planned like any other, because its source decides (seed 001, Disabled Accounts).
 */
export function planChange(input: PlanInput): PlannedAccount[] {
  const authSource = input.groups[0]?.authSource;
  const names = [...new Set([authSource ?? '', ...input.groups.flatMap((group) => group.sources)])];
  const accounts = names
    .flatMap((name) => input.sources.filter((source) => source.name === name))
    .flatMap((source) => planSource(source, source.name === authSource, input));
  const auth = accounts.filter(({ role }) => role === 'auth');
  const members = accounts.filter(({ role }) => role === 'member');
  return input.groups.some(({ failureMode }) => failureMode === 'directory-last')
    ? [...members, ...auth]
    : [...auth, ...members];
}

/**
 * Plans a change that only updates the stored credential of the account in which the password was changed. No other
 * account follows, so that account is the auth account of the change.
 */
export const planPartial = (origin: LinkedAccount): PlannedAccount[] => [
  {
    label: labelOf(origin.source, 0),
    source: origin.source,
    accountId: origin.id,
    accountName: origin.name,
    role: 'auth',
    leftOut: null,
  },
];

/**
 * The passes that follow the auth account; they run in parallel. The sources of the inline lane share one, because each
 * step of a workflow costs more than a source.
 */
export function passesOver(
  accounts: readonly Pick<PlannedAccount, 'source' | 'role'>[],
  sources: readonly Source[],
): Pass[] {
  const members = accounts.filter(({ role }) => role === 'member').map(({ source }) => source);
  const laneOf = (source: string): Lane => {
    const many = members.filter((member) => member === source).length > HANDFUL;
    return many ? 'queue' : (sources.find(({ name }) => name === source)?.lane ?? 'inline');
  };
  const names = [...new Set(members)];
  const inline = names.filter((name) => laneOf(name) === 'inline');
  const queued = names.filter((name) => laneOf(name) === 'queue');
  return [
    ...(inline.length > 0 ? [{ lane: 'inline' as const, sources: inline }] : []),
    ...queued.map((source) => ({ lane: 'queue' as const, source })),
  ];
}

function planSource(source: Source, holdsAuth: boolean, input: PlanInput): PlannedAccount[] {
  const linked = input.accounts.filter((account) => account.source === source.name);
  if (linked.length === 0) return source.correlates ? [toBeFound(source, holdsAuth)] : [];
  const primary = primaryIn(source.name, linked);
  const member = input.groups.some((group) => group.sources.includes(source.name));
  // Of an auth source outside the group, only the auth account is changed.
  const touched = member ? linked : linked.filter((account) => account === primary);
  return touched.map((account, index) => ({
    label: labelOf(source.name, index),
    source: source.name,
    accountId: account.id,
    accountName: account.name,
    role: holdsAuth && account === primary ? ('auth' as const) : ('member' as const),
    leftOut: leftOutBy(account, source, input),
  }));
}

const leftOutBy = (
  account: LinkedAccount,
  source: Source,
  input: PlanInput,
): LeaveOutRuleCode | null =>
  ruleEntries.find(([, rule]) => rule.applies(account, source, input))?.[0] ?? null;

/** An account that no link names yet: its name and id are found by correlation during the change. */
const toBeFound = (source: Source, holdsAuth: boolean): PlannedAccount => ({
  label: labelOf(source.name, 0),
  source: source.name,
  accountId: null,
  accountName: null,
  role: holdsAuth ? 'auth' : 'member',
  leftOut: !source.enabled ? 'source_disabled' : source.adapter === undefined ? null : 'not_mapped',
});

const labelOf = (source: string, index: number): string =>
  index === 0 ? source : `${source}:${index + 1}`;
