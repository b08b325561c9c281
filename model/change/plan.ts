import type { Group, Lane, Source } from '../configuration/group';
import type { Role } from './change';

/** More accounts of one person in one source than this, and its first pass takes the queue lane. */
const HANDFUL = 8;

export interface LinkedAccount {
  readonly id: string;
  readonly source: string;
  /** How the source calls it: a DN, a role name, a row key. */
  readonly name: string;
  readonly primary: boolean;
}

/** One line of a plan; becomes one outcome row. */
export interface PlannedAccount {
  /** Unique in the change, and fit to be read by anyone: the source, with a number from the second account on. */
  readonly label: string;
  readonly source: string;
  /** Null when the account still has to be found by the correlation rules of its source. */
  readonly accountId: string | null;
  readonly accountName: string | null;
  readonly role: Role;
  /** Null when it is to be changed, else the rule that leaves it out. */
  readonly leftOut: LeaveOutCode | null;
}

export interface SourcePass {
  readonly source: string;
  readonly lane: Lane;
}

export interface PlanInput {
  /** Every group that the change covers; they share one auth source. */
  readonly groups: readonly Group[];
  readonly sources: readonly Source[];
  readonly accounts: readonly LinkedAccount[];
}

interface LeaveOutRule {
  readonly says: string;
  readonly applies: (account: LinkedAccount, source: Source, input: PlanInput) => boolean;
}

/** Why an account of the person is left out although its source is in the group. The first that applies is told. */
export const leaveOutRules = {
  source_disabled: {
    says: 'The source is switched off in the configuration, so it is not asked.',
    applies: (_account, source) => !source.enabled,
  },
  not_primary: {
    says: 'The source has several accounts of this person and multipleAccountPasswordSync is not set, so only the primary account is changed.',
    applies: (account, source, { accounts }) =>
      !source.multipleAccountPasswordSync && primaryIn(source.name, accounts)?.id !== account.id,
  },
} as const satisfies Record<string, LeaveOutRule>;

/** Besides the rules above, those that are found out on the way. */
export type LeaveOutCode =
  | keyof typeof leaveOutRules
  | 'origin'
  | 'no_account_found'
  | 'unlinked'
  | 'source_removed'
  | 'auth_unchanged'
  | 'others_unchanged';

export const leaveOutSays: Readonly<Record<LeaveOutCode, string>> = {
  source_disabled: leaveOutRules.source_disabled.says,
  not_primary: leaveOutRules.not_primary.says,
  origin: 'The password was changed there, so it is not written back.',
  no_account_found: 'The source has no account that the correlation rules find for this person.',
  unlinked: 'The account was unlinked from this person while the change was under way.',
  auth_unchanged: 'The auth account did not take the new password.',
  others_unchanged:
    'The group is directory-last, and another account did not take the new password.',
  source_removed: 'The source was taken out of the configuration while the change was under way.',
};

const ruleEntries = Object.entries(leaveOutRules) as [keyof typeof leaveOutRules, LeaveOutRule][];

/** The marked one, else the first linked, as SailPoint's pass-through does (reference semantics §6.5). */
function primaryIn(source: string, accounts: readonly LinkedAccount[]): LinkedAccount | undefined {
  const here = accounts.filter((account) => account.source === source);
  return here.find((account) => account.primary) ?? here[0];
}

/**
 * Who is changed, in which order (the auth account first, or last where the groups say so, then in the order of the
 * groups), and why not the rest. A disabled account is planned like any other: its source decides (seed 001, Disabled
 * Accounts).
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

/** Who is asked after the auth account, side by side. */
export function passesOver(
  accounts: readonly Pick<PlannedAccount, 'source' | 'role'>[],
  sources: readonly Source[],
): SourcePass[] {
  const members = accounts.filter(({ role }) => role === 'member').map(({ source }) => source);
  return [...new Set(members)].map((source) => {
    const many = members.filter((member) => member === source).length > HANDFUL;
    const lane = sources.find(({ name }) => name === source)?.lane ?? 'inline';
    return { source, lane: many ? 'queue' : lane };
  });
}

function planSource(source: Source, holdsAuth: boolean, input: PlanInput): PlannedAccount[] {
  const linked = input.accounts.filter((account) => account.source === source.name);
  if (linked.length === 0) return source.correlates ? [toBeFound(source, holdsAuth)] : [];
  const primary = primaryIn(source.name, linked);
  const member = input.groups.some((group) => group.sources.includes(source.name));
  // An auth source outside the group lends its auth account and nothing more.
  const touched = member ? linked : linked.filter((account) => account === primary);
  return touched.map((account, index) => ({
    label: labelOf(source.name, index),
    source: source.name,
    accountId: account.id,
    accountName: account.name,
    role: holdsAuth && account === primary ? ('auth' as const) : ('member' as const),
    leftOut: ruleEntries.find(([, rule]) => rule.applies(account, source, input))?.[0] ?? null,
  }));
}

const toBeFound = (source: Source, holdsAuth: boolean): PlannedAccount => ({
  label: labelOf(source.name, 0),
  source: source.name,
  accountId: null,
  accountName: null,
  role: holdsAuth ? 'auth' : 'member',
  leftOut: source.enabled ? null : 'source_disabled',
});

const labelOf = (source: string, index: number): string =>
  index === 0 ? source : `${source}:${index + 1}`;
