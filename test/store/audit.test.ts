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

  test('an unaltered chain verifies, including records that are chained later', async () => {
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
    ['a changed record', sql`update audit set subject = 'forged' where position = 3`, 3],
    [
      'a changed time',
      sql`update audit set at = at + interval '1 microsecond' where position = 2`,
      2,
    ],
    ['a changed detail', sql`update audit set detail = '{"forged": true}' where position = 5`, 5],
    ['a removed record', sql`delete from audit where position = 4`, 4],
    [
      'a removed record whose successor was moved up',
      sql`with gone as (delete from audit where position = 6)
          update audit set subject = 's6', position = 5 where position = 5`,
      5,
    ],
    ['a removed first record', sql`delete from audit where position = 1`, 1],
    [
      'a pair of swapped records',
      sql`update audit set position = -position where position in (2, 3)`,
      2,
    ],
  ])('%s is detected with its position', async (_title, forgery, position) => {
    await forgery.execute(database.db);
    await sql`update audit set position = case position when -2 then 3 when -3 then 2 end where position < 0`.execute(
      database.db,
    );
    expect(await verifyAudit(database.db)).toEqual({ intact: false, position });
  });

  test('workers that chain at the same time make one chain', async () => {
    for (let count = 0; count < 40; count++)
      await writeAudit(database.db, { actor: 'test', action: 'identity.saved' });
    await Promise.all(Array.from({ length: 4 }, () => chainAudit(database.db)));
    while ((await chainAudit(database.db)) > 0);
    expect(await verifyAudit(database.db)).toEqual({ intact: true, records: 46 });
  });

  test('a record of a transaction that commits late is chained late and keeps the chain intact', async () => {
    await database.db.transaction().execute(async (late) => {
      await writeAudit(late, { actor: 'test', action: 'identity.saved', subject: 'late' });
      await writeAudit(database.db, { actor: 'test', action: 'identity.saved', subject: 'early' });
      await chainAudit(database.db);
    });
    await chainAudit(database.db);
    expect(await verifyAudit(database.db)).toEqual({ intact: true, records: 8 });
  });
});
