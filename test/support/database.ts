import { randomBytes } from 'node:crypto';
import { accountRulesOf } from '../../connectors/registry';
import { createDatabase } from '../../local/postgres';
import { type OpenDatabase, openDatabase } from '../../store/database';
import { migrate } from '../../store/migrate';
import { server } from './servers';

export interface TestDatabase extends OpenDatabase {
  readonly url: string;
}

/** Creates a database with the schema of Lockstep on the shared PostgreSQL server. */
export async function testDatabase(on = server('postgres').url ?? ''): Promise<TestDatabase> {
  const url = await createDatabase({ url: on }, `test_${randomBytes(6).toString('hex')}`);
  const opened = openDatabase(url, 'lockstep test', 5);
  await migrate(opened.db, accountRulesOf);
  return { url, ...opened };
}
