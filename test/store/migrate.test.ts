import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { createDatabase } from '../../local/postgres';
import { openDatabase } from '../../store/database';
import { migrate } from '../../store/migrate';
import { describeWith, server } from '../support/servers';

describeWith(['postgres'], 'migrations', () => {
  const freshDatabase = () =>
    createDatabase({ url: server('postgres').url ?? '' }, `test_${randomBytes(6).toString('hex')}`);

  test('many processes that start at once on an empty database all find it ready', async () => {
    const url = await freshDatabase();
    const opened = Array.from({ length: 6 }, () => openDatabase(url, 'migrate test', 2));
    await Promise.all(opened.map(({ db }) => migrate(db)));
    for (const { db } of opened)
      expect(await db.selectFrom('change').select('id').execute()).toEqual([]);
    await Promise.all(opened.map((one) => one.close()));
  });

  test('one that is cut off in the middle leaves nothing behind, and the next one does it', async () => {
    const url = await freshDatabase();
    const { db, close } = openDatabase(url, 'migrate test', 3);
    // What the last statement of the migration makes is there already, so it fails at its end.
    await sql`create table audit (id int)`.execute(db);
    await expect(migrate(db)).rejects.toThrow();
    const tables = await sql<{ name: string }>`
      select tablename as name from pg_tables where schemaname = 'public' and tablename in ('change', 'identity')`.execute(
      db,
    );
    expect(tables.rows).toEqual([]);
    await sql`drop table audit`.execute(db);
    await migrate(db);
    expect(await db.selectFrom('identity').select('id').execute()).toEqual([]);
    await close();
  });
});
