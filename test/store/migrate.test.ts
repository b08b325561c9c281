import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { accountRulesOf } from '../../connectors/registry';
import { createDatabase } from '../../local/postgres';
import { log } from '../../log';
import { openDatabase } from '../../store/database';
import { migrate } from '../../store/migrate';
import { unlinkAccount } from '../../store/people/links';
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

  test('a process starts on the database of a newer release, logs one line about it and leaves it as it is', async () => {
    const { db, close } = await migratedBy('0100-of-a-newer-release');
    const warn = jest.spyOn(log, 'warn').mockReturnValue();
    await migrate(db, accountRulesOf);
    expect(warn.mock.calls).toEqual([
      [
        expect.stringContaining('the database is of a newer release'),
        { code: '0100-of-a-newer-release' },
      ],
    ]);
    const { rows } = await sql`
      select name from kysely_migration order by name desc limit 1`.execute(db);
    expect(rows).toEqual([{ name: '0100-of-a-newer-release' }]);
    warn.mockRestore();
    await close();
  });

  test('a process refuses a database with an unknown migration before the newest one that it knows', async () => {
    const { db, close } = await migratedBy('0015-of-something-else');
    await expect(migrate(db, accountRulesOf)).rejects.toThrow('0015-of-something-else is missing');
    await close();
  });

  /** A database of this release that has one more migration. */
  const migratedBy = async (name: string) => {
    const opened = openDatabase(await freshDatabase(), 'migrate test', 2);
    await migrate(opened.db, accountRulesOf);
    await sql`
      insert into kysely_migration (name, timestamp)
      values (${name}, ${new Date().toISOString()})`.execute(opened.db);
    return opened;
  };

  test('links that turn out to name one account get the problem linked_twice, and do not keep a process from starting', async () => {
    const url = await freshDatabase();
    const { db, close } = openDatabase(url, 'migrate test', 2);
    await migrate(db, accountRulesOf, '0008-jobs');
    const settings = {
      url: 'ldaps://127.0.0.1:1',
      bindDn: 'cn=lockstep,dc=test',
      bindPassword: '${env:TEST}',
      base: 'dc=test',
    };
    await sql`
      insert into configuration (version, document, applied_by)
      values (1, ${JSON.stringify({ sources: { directory: { kind: 'ldap', settings } } })}, 'test')`.execute(
      db,
    );
    const accounts = [
      ['zed', 'directory', 'uid=zed,dc=test', 'id-1'],
      ['thief', 'directory', 'UID=Zed, dc=test', null],
      ['renamed', 'directory', 'uid=before,dc=test', 'id-2'],
      ['owner', 'directory', 'uid=after,dc=test', 'id-2'],
      ['ann', 'directory', 'uid=Ann, dc=test', 'id-3'],
      ['kept', 'removed', 'Kept', null],
    ];
    for (const [person, source, name, id] of accounts)
      await sql`
        with added as (insert into identity (id, name) values (${person}, ${person}))
        insert into account (id, identity_id, source, name, native_id, linked_by)
        values (${person}, ${person}, ${source}, ${name}, ${id}, 'operator')`.execute(db);
    await migrate(db, accountRulesOf);
    const { rows } = await sql`
      select id, name, name_key, id_learnt, problem from account order by id`.execute(db);
    expect(rows).toEqual([
      row('ann', 'uid=Ann, dc=test', 'uid=ann,dc=test', true, null),
      row('kept', 'Kept', 'Kept', false, null),
      row('owner', 'uid=after,dc=test', 'uid=after,dc=test', true, 'linked_twice'),
      row('renamed', 'uid=before,dc=test', 'uid=before,dc=test', true, 'linked_twice'),
      row('thief', 'UID=Zed, dc=test', 'uid=zed,dc=test', false, 'linked_twice'),
      row('zed', 'uid=zed,dc=test', 'uid=zed,dc=test', true, 'linked_twice'),
    ]);
    const { naming } = accountRulesOf({ kind: 'ldap', settings });
    const thief = { source: 'directory', name: 'UID=Zed, dc=test' };
    expect(await unlinkAccount(db, 'thief', thief, 'test', naming)).toBe(true);
    const left = await db
      .selectFrom('account')
      .select(['id', 'problem'])
      .where('problem', 'is not', null)
      .orderBy('id')
      .execute();
    expect(left.map(({ id }) => id)).toEqual(['owner', 'renamed']);
    await close();
  });
});

const row = (
  id: string,
  name: string,
  name_key: string,
  id_learnt: boolean,
  problem: string | null,
) => ({ id, name, name_key, id_learnt, problem });
