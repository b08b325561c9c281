import { type Migration, Migrator, sql } from 'kysely';
import { log } from '../log';
import type { AccountRulesOf } from '../model/people/naming';
import type { Database } from './database';
import * as initial from './migrations/0001-initial';
import * as captures from './migrations/0002-captures';
import * as sourceState from './migrations/0003-source-state';
import * as forms from './migrations/0004-forms';
import * as relays from './migrations/0005-relays';
import * as pushedPasswords from './migrations/0006-pushed-passwords';
import * as startpoints from './migrations/0007-startpoints';
import * as jobs from './migrations/0008-jobs';
import { accountNames } from './migrations/0009-account-names';
import * as declinedCaptures from './migrations/0010-declined-captures';
import * as overdueAccounts from './migrations/0011-overdue-accounts';
import * as engineLacks from './migrations/0013-engine-lacks';
import * as backlog from './migrations/0014-backlog';
import * as problemTimes from './migrations/0015-problem-times';
import * as access from './migrations/0016-access';
import * as audit from './migrations/0017-audit';
import * as notices from './migrations/0018-notices';
import * as boundKeys from './migrations/0019-bound-keys';
import * as engineProblem from './migrations/0020-engine-problem';
import * as publicUrl from './migrations/0021-public-url';
import * as sessions from './migrations/0029-sessions';
import * as partialChanges from './migrations/0030-partial-changes';
import * as adapters from './migrations/0031-adapters';
import * as masterKeys from './migrations/0032-master-keys';
import * as lookup from './migrations/0033-lookup';
import * as sourceLimits from './migrations/0035-source-limits';
import * as people from './migrations/0036-people';
import * as keptCaptures from './migrations/0037-kept-captures';
import * as signIn from './migrations/0038-sign-in';
import * as oneTimeLinks from './migrations/0039-one-time-links';
import * as sourceCommandReason from './migrations/0040-source-command-reason';
import * as adapterPages from './migrations/0042-adapter-pages';
import * as sourceHistory from './migrations/0044-source-history';
import * as boundWorkers from './migrations/0045-bound-workers';
import * as credentialOrigins from './migrations/0047-credential-origins';

const migrations = (rulesOf: AccountRulesOf): Record<string, Migration> => ({
  '0001-initial': initial,
  '0002-captures': captures,
  '0003-source-state': sourceState,
  '0004-forms': forms,
  '0005-relays': relays,
  '0006-pushed-passwords': pushedPasswords,
  '0007-startpoints': startpoints,
  '0008-jobs': jobs,
  '0009-account-names': accountNames(rulesOf),
  '0010-declined-captures': declinedCaptures,
  '0011-overdue-accounts': overdueAccounts,
  '0013-engine-lacks': engineLacks,
  '0014-backlog': backlog,
  '0015-problem-times': problemTimes,
  '0016-access': access,
  '0017-audit': audit,
  '0018-notices': notices,
  '0019-bound-keys': boundKeys,
  '0020-engine-problem': engineProblem,
  '0021-public-url': publicUrl,
  '0029-sessions': sessions,
  '0030-partial-changes': partialChanges,
  '0031-adapters': adapters,
  '0032-master-keys': masterKeys,
  '0033-lookup': lookup,
  '0035-source-limits': sourceLimits,
  '0036-people': people,
  '0037-kept-captures': keptCaptures,
  '0038-sign-in': signIn,
  '0039-one-time-links': oneTimeLinks,
  '0040-source-command-reason': sourceCommandReason,
  '0042-adapter-pages': adapterPages,
  '0044-source-history': sourceHistory,
  '0045-bound-workers': boundWorkers,
  '0047-credential-origins': credentialOrigins,
});

/**
 * Brings the schema up to date. Any number of processes may call it at the same time: one of them migrates, under an
 * advisory lock, and the others wait for it. A process also starts on the database of a newer release, so that a rolling
 * upgrade can be taken back: a migration adds only what the release before ignores.
 * @param rulesOf how the accounts of a source are distinguished
 * @param target the last migration to run; by default all are run
 * @throws the error of the database; then the failed migration was rolled back
 */
export async function migrate(
  db: Database,
  rulesOf: AccountRulesOf,
  target?: string,
): Promise<void> {
  const provider = { getMigrations: () => withNewer(db, migrations(rulesOf)) };
  const migrator = new Migrator({ db, provider });
  const { error } =
    target === undefined ? await migrator.migrateToLatest() : await migrator.migrateTo(target);
  if (error !== undefined) throw error;
}

/**
 * Adds the migrations of a newer release that the database has, because the migrator refuses a database with a migration
 * that is not in its list. None of them is run. An unknown migration before the newest known one is not added: it shows
 * that the database belongs to something else.
 */
async function withNewer(
  db: Database,
  known: Record<string, Migration>,
): Promise<Record<string, Migration>> {
  const newest = Object.keys(known).sort().at(-1) ?? '';
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  const newer = rows.map(({ name }) => name).filter((name) => name > newest);
  if (newer.length > 0)
    log.warn('the database is of a newer release: this process ignores what its migrations added', {
      code: newer.sort().join(' '),
    });
  return { ...known, ...Object.fromEntries(newer.map((name) => [name, neverRun])) };
}

const neverRun: Migration = {
  up: async () => {
    throw new Error('A migration of a newer release cannot be run by this one.');
  },
};
