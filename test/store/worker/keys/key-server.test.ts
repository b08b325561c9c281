import { sql } from 'kysely';
import { KeyStoreUnavailable, keyStoreProblem } from '../../../../store/worker/keys/key-store';
import { openSealedKeys } from '../../../../store/worker/keys/sealed-keys';
import { openTransit } from '../../../../store/worker/keys/transit';
import { type TestDatabase, testDatabase } from '../../../support/database';
import { type KeyServerUnderTest, startKeyServer } from '../../../support/key-server';
import { describeWith } from '../../../support/servers';

/** What a key server has to do: a stand-in in `npm test`, a real one in `npm run check:keystore`. */
describeWith(['postgres'], 'master keys that a key server has sealed', () => {
  let server: KeyServerUnderTest;
  let database: TestDatabase;
  beforeAll(async () => {
    server = await startKeyServer();
  }, 3_600_000);
  afterAll(() => server.stop());
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(async () => {
    await server.unseal();
    await database.close();
  });

  const open = () => openSealedKeys(database.db, openTransit(server.settings));
  const bytesOf = async (id: string, keys = open()) => (await keys.masterKey(id)).key.export();

  test('every worker opens the same master key, which the first one makes when it is needed', async () => {
    const { id, key } = await open().currentMasterKey();
    expect(key.export()).toHaveLength(32);
    expect(await bytesOf(id)).toEqual(key.export());
    expect(await open().masterKeyIds()).toEqual([id]);
  });

  test('the newest master key seals for a worker that runs already', async () => {
    const running = open();
    await running.currentMasterKey();
    const next = await open().generate();
    expect((await running.currentMasterKey()).id).toBe(next);
  });

  test('a master key of a backup is added once and has the same value afterwards', async () => {
    const id = 'key_00000000000000000000000000';
    const bytes = Buffer.alloc(32, 7);
    expect([await open().add(id, bytes), await open().add(id, bytes)]).toEqual([true, false]);
    expect(await bytesOf(id)).toEqual(bytes);
    expect(await open().unsavedMasterKeys()).toEqual([]);
    await expect(open().add(id, Buffer.alloc(32, 8))).rejects.toThrow('Nothing was replaced');
  });

  test('a master key has no backup until one is recorded', async () => {
    const id = await open().generate();
    expect(await open().unsavedMasterKeys()).toEqual([id]);
    await open().markSaved([id]);
    expect(await open().unsavedMasterKeys()).toEqual([]);
  });

  test('a sealed master key that was moved to another row cannot be opened', async () => {
    const [one, other] = [await open().generate(), await open().generate()];
    await sql`update master_key set sealed = (select sealed from master_key where id = ${one})
      where id = ${other}`.execute(database.db);
    await expect(open().masterKey(other)).rejects.toMatchObject({ problem: 'wrong_key' });
  });

  test('a renewed master key is another text that opens to the same key, also when another one is lost', async () => {
    const lost = await open().generate();
    const id = await open().generate();
    await sql`update master_key set sealed = 'vault:v1:AAAA' where id = ${lost}`.execute(
      database.db,
    );
    const sealed = () =>
      sql<{ sealed: string }>`select sealed from master_key where id = ${id}`.execute(database.db);
    const [before, bytes] = [await sealed(), await bytesOf(id)];
    await open().renew();
    expect((await sealed()).rows).not.toEqual(before.rows);
    expect(await bytesOf(id)).toEqual(bytes);
  });

  test('a key that was opened stays readable while the server is sealed, and nothing new is sealed', async () => {
    let now = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
    const keys = open();
    const { id, key } = await keys.currentMasterKey();
    await server.seal();
    now += 5_000;
    await expect(keys.currentMasterKey()).rejects.toThrow(KeyStoreUnavailable);
    expect(await keyStoreProblem(keys)).toBe('sealed');
    await expect(keys.generate()).rejects.toMatchObject({ problem: 'sealed' });
    await expect(keys.renew()).rejects.toMatchObject({ problem: 'sealed' });
    expect((await keys.masterKey(id)).key).toBe(key);
    await expect(open().masterKey(id)).rejects.toMatchObject({ problem: 'sealed' });
    await server.unseal();
    expect((await keys.currentMasterKey()).id).toBe(id);
    clock.mockRestore();
  });

  test('a key that the server does not have is reported', async () => {
    const keys = openSealedKeys(
      database.db,
      openTransit({ ...server.settings, key: 'lockstep-other' }),
    );
    // A token whose policy names one key gets no answer about others.
    expect(['no_key', 'refused']).toContain(await keyStoreProblem(keys));
  });
});
