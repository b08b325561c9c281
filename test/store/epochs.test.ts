import { mkdtempSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { currentEpoch, signerKey } from '../../store/epochs';
import { destroyEndedEpochs, ensureEpoch } from '../../store/worker/epochs';
import { openKeyDirectory, SIGNER_PUBLIC_FILE } from '../../store/worker/keys/key-directory';
import type { KeyStore } from '../../store/worker/keys/key-store';
import { type TestDatabase, testDatabase } from '../support/database';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'epochs', () => {
  let database: TestDatabase;
  let keys: KeyStore;
  let signer: ReturnType<typeof signerKey>;

  const newKeys = async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-keys-'));
    const opened = await openKeyDirectory(dir);
    const published = JSON.parse(readFileSync(path.join(dir, SIGNER_PUBLIC_FILE), 'utf8'));
    return { opened, signer: signerKey(published) };
  };
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
    ({ opened: keys, signer } = await newKeys());
  });
  afterEach(() => database.close());

  test('many workers that start at once make one', async () => {
    await Promise.all(Array.from({ length: 6 }, () => ensureEpoch(database.db, keys, 24)));
    expect(await epochs()).toHaveLength(1);
    expect((await currentEpoch(database.db, signer))?.key.epochId).toBe((await epochs())[0]?.id);
  });

  test('the next one is there before the last has ended', async () => {
    await ensureEpoch(database.db, keys, 24);
    const [first] = await epochs();
    await sql`update epoch set seal_until = now() + interval '30 minutes'`.execute(database.db);
    await ensureEpoch(database.db, keys, 24);
    expect(await epochs()).toHaveLength(2);
    expect((await currentEpoch(database.db, signer))?.key.epochId).not.toBe(first?.id);
  });

  test('whoever can write to the database still cannot have passwords sealed to a key of his own', async () => {
    await ensureEpoch(database.db, keys, 24);
    const forger = await newKeys();
    const forged = await forger.opened.createEpochKey('ep_forged');
    await sql`update epoch set public_key = ${JSON.stringify(forged)}`.execute(database.db);
    expect(await currentEpoch(database.db, signer)).toBeNull();
    await ensureEpoch(database.db, forger.opened, 1000);
    expect(await currentEpoch(database.db, signer)).toBeNull();
  });

  test('a longer life than was signed is not believed', async () => {
    await ensureEpoch(database.db, keys, 24);
    await sql`update epoch set seal_until = seal_until + interval '1 year'`.execute(database.db);
    expect(await currentEpoch(database.db, signer)).toBeNull();
  });

  test('an ended one is destroyed when nothing is sealed to it any more, and not before', async () => {
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
