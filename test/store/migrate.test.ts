import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { accountRulesOf } from '../../connectors/registry';
import { createDatabase } from '../../local/postgres';
import { openDatabase } from '../../store/database';
import { migrate } from '../../store/migrate';
import { describeWith, server } from '../support/servers';

describeWith(['postgres'], 'migrations', () => {
  const freshDatabase = () =>
    createDatabase({ url: server('postgres').url ?? '' }, `test_${randomBytes(6).toString('hex')}`);

  test('processes that start at the same time on an empty database all find it migrated', async () => {
    const url = await freshDatabase();
    const opened = Array.from({ length: 6 }, () => openDatabase(url, 'migrate test', 2));
    await Promise.all(opened.map(({ db }) => migrate(db, accountRulesOf)));
    for (const { db } of opened)
      expect(await db.selectFrom('change').select('id').execute()).toEqual([]);
    await Promise.all(opened.map(({ close }) => close()));
  });

  test('an interrupted migration leaves no tables behind, and the next one succeeds', async () => {
    const url = await freshDatabase();
    const { db, close } = openDatabase(url, 'migrate test', 3);
    // The table that the last statement of the migration creates exists already, so the migration fails at its end.
    await sql`create table audit (id int)`.execute(db);
    await expect(migrate(db, accountRulesOf)).rejects.toThrow();
    const tables = await sql<{ name: string }>`
      select tablename as name from pg_tables where schemaname = 'public' and tablename in ('change', 'identity')`.execute(
      db,
    );
    expect(tables.rows).toEqual([]);
    await sql`drop table audit`.execute(db);
    await migrate(db, accountRulesOf);
    expect(await db.selectFrom('identity').select('id').execute()).toEqual([]);
    await close();
  });
});
