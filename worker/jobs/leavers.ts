import type { FoundAccount } from '../../connectors/contract';
import {
  type Configuration,
  groupsOf,
  type SourceConfiguration,
} from '../../model/configuration/document';
import { defaultLeavers, isSuspicious } from '../../model/people/leavers';
import type { LinkOfPerson } from '../../model/people/match-links';
import type { KnownPerson, SortedAccounts } from '../../model/people/refresh';
import type { Database } from '../../store/database';
import {
  markMissing,
  markReturned,
  noteSuspiciousList,
  readMissing,
  unlinkLeavers,
} from '../../store/people/leavers';
import type { SourceJob } from '../../store/sources/jobs';
import type { Listed } from './list-accounts';

const DAY_MS = 86_400_000;

/** Linked accounts that a complete list does not show, and those that it shows again. */
export interface LeaversFound {
  readonly missing: readonly LinkOfPerson[];
  /** Those of them that are unlinked now. */
  readonly due: readonly LinkOfPerson[];
  readonly returned: readonly LinkOfPerson[];
  /** People who have no account in the auth source of a group any more, by name. */
  readonly people: readonly string[];
  /** How many accounts are missing for the first time, and how many links were listed before. */
  readonly lost: number;
  readonly linked: number;
  /** True when the list lost more accounts than the limit allows, or is empty. */
  readonly suspicious: boolean;
  readonly isAuthSource: boolean;
  readonly unlinkAfterDays: number | null;
}

/** Finds the leavers of a source. Nothing is written. A partial list has none. */
export async function leaversIn(
  db: Database,
  { source: name }: SourceJob,
  { leavers: settings = defaultLeavers }: SourceConfiguration,
  configuration: Pick<Configuration, 'groups' | 'sources'>,
  { accounts }: Listed,
  { problems, seen }: SortedAccounts<FoundAccount, KnownPerson>,
): Promise<LeaversFound> {
  const missing = problems.no_account;
  const before = await readMissing(db, name);
  const lost = missing.filter(({ id }) => !before.has(id)).length;
  const linked = seen.length + lost;
  const suspicious =
    missing.length > 0 && isSuspicious({ listed: accounts.length, linked, lost }, settings);
  const isAuthSource = groupsOf(configuration).some(({ authSource }) => authSource === name);
  const present = new Set(seen.map(({ link }) => link.identityId));
  const left = missing.filter(({ identityId }) => !present.has(identityId));
  const { unlinkAfterDays = null } = settings;
  const isDue = ({ id }: LinkOfPerson) =>
    unlinkAfterDays !== null &&
    Date.now() - (before.get(id)?.getTime() ?? Number.POSITIVE_INFINITY) >=
      unlinkAfterDays * DAY_MS;
  return {
    missing,
    due: suspicious ? [] : missing.filter(isDue),
    returned: seen.map(({ link }) => link).filter(({ id }) => before.has(id)),
    people: isAuthSource && !suspicious ? [...new Set(left.map(({ person }) => person))] : [],
    ...{ lost, linked, suspicious, isAuthSource, unlinkAfterDays },
  };
}

/**
 * Records and reports what `leaversIn` found, and unlinks the accounts whose grace period is over.
 * @returns the ids of the links that are unlinked now; an operator may have linked one again in the meantime
 */
export async function handleLeavers(
  db: Database,
  { source, requestedBy: by }: SourceJob,
  { missing, due, returned, lost, linked, suspicious, isAuthSource, unlinkAfterDays }: LeaversFound,
): Promise<readonly string[]> {
  const about = { source, by, isAuthSource, unlinkAfterDays };
  const idsOf = (links: readonly LinkOfPerson[]) => links.map(({ id }) => id);
  await markReturned(db, { ...about, accountIds: idsOf(returned) });
  if (suspicious) {
    await noteSuspiciousList(db, { source, by, lost, linked });
    return [];
  }
  await markMissing(db, { ...about, accountIds: idsOf(missing) });
  return unlinkLeavers(db, { ...about, accountIds: idsOf(due) });
}
