import { sql } from 'kysely';
import { chainAudit, verifyAudit, writeAudit } from '../../store/audit';
import { type TestDatabase, testDatabase } from '../support/database';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'the audit chain', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await testDatabase();
    for (let count = 1; count <= 6; count++)
      await writeAudit(database.db, {
        actor: 'test',
        action: 'identity.saved',
        subject: `s${count}`,
      });
    await chainAudit(database.db);
  });
  afterEach(() => database.close());

  test('verifies what was written, also what is chained later', async () => {
    expect(await verifyAudit(database.db)).toEqual({ intact: true, records: 6 });
    await writeAudit(database.db, {
      actor: 'test',
      action: 'identity.removed',
      detail: { a: 'ü', b: 1 },
    });
    await chainAudit(database.db);
    expect(await verifyAudit(database.db)).toEqual({ intact: true, records: 7 });
  });

  test.each<[string, ReturnType<typeof sql>, number]>([
    ['a record is changed', sql`update audit set subject = 'forged' where position = 3`, 3],
    [
      'its time is changed',
      sql`update audit set at = at + interval '1 microsecond' where position = 2`,
      2,
    ],
    [
      'its detail is changed',
      sql`update audit set detail = '{"forged": true}' where position = 5`,
      5,
    ],
    ['a record is taken out', sql`delete from audit where position = 4`, 4],
    [
      'a record is taken out and the rest moved up',
      sql`with gone as (delete from audit where position = 6)
          update audit set subject = 's6', position = 5 where position = 5`,
      5,
    ],
    ['the first record is taken out', sql`delete from audit where position = 1`, 1],
    [
      'two records change places',
      sql`update audit set position = -position where position in (2, 3)`,
      2,
    ],
  ])('%s: found, with its place', async (_title, forgery, position) => {
    await forgery.execute(database.db);
    await sql`update audit set position = case position when -2 then 3 when -3 then 2 end where position < 0`.execute(
      database.db,
    );
    expect(await verifyAudit(database.db)).toEqual({ intact: false, position });
  });

  test('many workers that chain at once make one chain', async () => {
    for (let count = 0; count < 40; count++)
      await writeAudit(database.db, { actor: 'test', action: 'identity.saved' });
    await Promise.all(Array.from({ length: 4 }, () => chainAudit(database.db)));
    while ((await chainAudit(database.db)) > 0);
    expect(await verifyAudit(database.db)).toEqual({ intact: true, records: 46 });
  });

  test('a transaction that commits late is chained late, and breaks nothing', async () => {
    await database.db.transaction().execute(async (late) => {
      await writeAudit(late, { actor: 'test', action: 'identity.saved', subject: 'late' });
      await writeAudit(database.db, { actor: 'test', action: 'identity.saved', subject: 'early' });
      await chainAudit(database.db);
    });
    await chainAudit(database.db);
    expect(await verifyAudit(database.db)).toEqual({ intact: true, records: 8 });
  });
});
