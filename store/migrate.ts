import { type Migration, Migrator } from 'kysely';
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
import * as adapters from './migrations/0031-adapters';
import * as sourceCommandReason from './migrations/0040-source-command-reason';

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
  '0031-adapters': adapters,
  '0040-source-command-reason': sourceCommandReason,
});

/**
 * Brings the schema up to date. Any number of processes may call it at the same time: one of them migrates, under an
 * advisory lock, and the others wait for it.
 * @param rulesOf how the accounts of a source are distinguished
 * @param target the last migration to run; by default all are run
 * @throws the error of the database; then the failed migration was rolled back
 */
export async function migrate(
  db: Database,
  rulesOf: AccountRulesOf,
  target?: string,
): Promise<void> {
  const provider = { getMigrations: async () => migrations(rulesOf) };
  const migrator = new Migrator({ db, provider });
  const { error } =
    target === undefined ? await migrator.migrateToLatest() : await migrator.migrateTo(target);
  if (error !== undefined) throw error;
}
