import { sql } from 'kysely';
import { currentEpoch, type signerKey } from '../../store/epochs';
import { destroyEndedEpochs, ensureEpoch } from '../../store/worker/epochs';
import type { KeyStore } from '../../store/worker/keys/key-store';
import { type TestDatabase, testDatabase } from '../support/database';
import { newKeyDirectory } from '../support/keys';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'epochs', () => {
  let database: TestDatabase;
  let keys: KeyStore;
  let signer: ReturnType<typeof signerKey>;

  const epochs = async () =>
    await database.db
      .selectFrom('epoch')
      .select(['id', 'destroyed_at'])
      .orderBy('created_at')
      .execute();
  const end = (id: string) =>
    sql`update epoch set seal_until = now() - interval '1 day' where id = ${id}`.execute(
      database.db,
    );

  beforeEach(async () => {
    database = await testDatabase();
    ({ keys, signer } = await newKeyDirectory());
  });
  afterEach(() => database.close());

  test('workers that start at the same time make one epoch', async () => {
    await Promise.all(Array.from({ length: 6 }, () => ensureEpoch(database.db, keys, 24)));
    expect(await epochs()).toHaveLength(1);
    expect((await currentEpoch(database.db, signer))?.key.epochId).toBe((await epochs())[0]?.id);
  });

  test('the next epoch is made before the last one ends', async () => {
    await ensureEpoch(database.db, keys, 24);
    const [first] = await epochs();
    await sql`update epoch set seal_until = now() + interval '30 minutes'`.execute(database.db);
    await ensureEpoch(database.db, keys, 24);
    expect(await epochs()).toHaveLength(2);
    expect((await currentEpoch(database.db, signer))?.key.epochId).not.toBe(first?.id);
  });

  test('an attacker with write access to the database cannot have passwords sealed to their own key', async () => {
    await ensureEpoch(database.db, keys, 24);
    const forger = await newKeyDirectory();
    const forged = await forger.keys.createEpochKey('ep_forged');
    await sql`update epoch set public_key = ${JSON.stringify(forged)}`.execute(database.db);
    expect(await currentEpoch(database.db, signer)).toBeNull();
    await ensureEpoch(database.db, forger.keys, 1000);
    expect(await currentEpoch(database.db, signer)).toBeNull();
  });

  test('an epoch whose end was postponed in the database is not accepted', async () => {
    await ensureEpoch(database.db, keys, 24);
    await sql`update epoch set seal_until = seal_until + interval '1 year'`.execute(database.db);
    expect(await currentEpoch(database.db, signer)).toBeNull();
  });

  test('the key of an ended epoch is destroyed only once nothing is sealed to it', async () => {
    await ensureEpoch(database.db, keys, 24);
    const [epoch] = await epochs();
    const id = epoch?.id ?? '';
    expect(await destroyEndedEpochs(database.db, keys)).toEqual([]);
    await end(id);
    await sql`insert into identity (id, name) values ('i', 'i')`.execute(database.db);
    await sql`insert into change (id, identity_id, identity_name, seq, groups, requested_by, requested_by_name,
                                  configuration_version, expires_at)
              values ('c', 'i', 'i', 1, '{}', 'k', 'k', 0, now())`.execute(database.db);
    await sql`insert into sealed_secret values ('c', ${id}, 'x', now())`.execute(database.db);
    expect(await destroyEndedEpochs(database.db, keys)).toEqual([]);
    expect(await keys.epochKey(id)).not.toBeNull();
    await sql`delete from sealed_secret`.execute(database.db);
    expect(await destroyEndedEpochs(database.db, keys)).toEqual([id]);
    expect(await keys.epochKey(id)).toBeNull();
    expect((await epochs())[0]?.destroyed_at).not.toBeNull();
  });
});
