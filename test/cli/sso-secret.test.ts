import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { Secret } from '../../model/passwords/secret';
import { sealCredential, unsealCredential } from '../../store/worker/credentials';
import { openKeyDirectory } from '../../store/worker/keys/key-directory';
import { openSealedKeys } from '../../store/worker/keys/sealed-keys';
import { openTransit } from '../../store/worker/keys/transit';
import { type TestDatabase, testDatabase } from '../support/database';
import { type KeyServerUnderTest, startKeyServer } from '../support/key-server';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { lockstep, type RunOptions } from './run-cli';

const PASSPHRASE = 'a passphrase of the operator';

describeWith(['postgres'], 'lockstep sso secret', () => {
  let database: TestDatabase;
  let dir: string;
  const opened: TestDatabase[] = [];
  beforeEach(async () => {
    database = await testDatabase();
    opened.push(database);
    dir = path.join(mkdtempSync(path.join(os.tmpdir(), 'lockstep-sso-')), 'keys');
    await openKeyDirectory(dir);
  });
  afterAll(() => Promise.all(opened.map(({ close }) => close())));

  const run = (verb: string, args: readonly string[] = [], options: RunOptions = {}) =>
    lockstep(['-o', 'json', 'sso', 'secret', verb, ...args], {
      ...options,
      env: { DATABASE_URL: database.url, LOCKSTEP_KEY_DIR: dir, ...options.env },
    });
  const answer = async (...given: Parameters<typeof run>) => {
    const { code, stdout, stderr } = await run(...given);
    if (code !== 0) throw new Error(`${code}: ${stdout}${stderr}`);
    return JSON.parse(stdout);
  };

  async function store(count: number): Promise<void> {
    const master = await (await openKeyDirectory(dir)).currentMasterKey();
    await sql`insert into identity (id, name) values ('idn_1', 'ada')`.execute(database.db);
    await sql`insert into account (id, identity_id, source, name, name_key, linked_by)
      select 'acc_' || n, 'idn_1', 'crm', 'ada' || n, 'ada' || n, 'test' from generate_series(1, ${count}::int) n`.execute(
      database.db,
    );
    const ids = Array.from({ length: count }, (_, index) => `map_${index + 1}`);
    const sealed = ids.map((id) => sealCredential(master, id, 1, Secret.fromText(`old ${id}`)));
    await sql`insert into mapping (id, application, identity_id, account_id, sealed, master_key_id, applied_seq)
      select id, 'crm', 'idn_1', replace(id, 'map', 'acc'), sealed, ${master.id}, 1
      from unnest(${ids}::text[], ${sealed}::bytea[]) as n (id, sealed)`.execute(database.db);
  }
  const credentials = () =>
    database.db
      .selectFrom('mapping')
      .select(['id', 'sealed', 'master_key_id', 'applied_seq'])
      .execute();
  const backup = () => path.join(path.dirname(dir), 'master.backup');
  const saved = (
    verb: 'backup' | 'restore',
    passphrase = PASSPHRASE,
    env: RunOptions['env'] = {},
  ) => run(verb, [backup()], { stdin: `${passphrase}\n`, env });

  test('a master key has a warning until it is in a backup, which only its passphrase opens', async () => {
    const before = await answer('status');
    expect(before.keys).toMatchObject([{ current: true, backedUp: false, credentials: 0 }]);
    expect(before.warnings).toHaveLength(1);
    for (const passphrase of ['x', 'é'.repeat(11)]) {
      const short = await saved('backup', passphrase);
      expect([short.code, short.stdout]).toEqual([2, expect.stringContaining('too short')]);
    }
    expect(existsSync(backup())).toBe(false);
    expect((await saved('backup')).code).toBe(0);
    expect((await answer('status')).warnings).toEqual([]);
    expect(statSync(backup()).mode & 0o077).toBe(0);
    expect((await saved('restore', 'another passphrase')).stdout).toContain('passphrase is wrong');
    expect((await saved('backup')).stdout).toContain('exists already');
    writeFileSync(backup(), readFileSync(backup(), 'utf8').replace('"tag":"', '"tag":"A'));
    expect((await saved('restore')).code).not.toBe(0);
    const missing = await run('restore', [`${backup()}.other`], { stdin: `${PASSPHRASE}\n` });
    expect([missing.code, missing.stdout]).toEqual([
      2,
      expect.stringContaining('master.backup.other cannot be read (ENOENT)'),
    ]);
  });

  test('a lost master key is reported as missing, and a restored one opens its credentials', async () => {
    await store(1);
    await saved('backup');
    for (const file of readdirSync(path.join(dir, 'master')))
      rmSync(path.join(dir, 'master', file));
    const lost = await run('status');
    expect(lost.code).not.toBe(0);
    expect(JSON.parse(lost.stdout).keys).toMatchObject([{ present: false, credentials: 1 }]);
    expect((await saved('restore')).code).toBe(0);
    const [row] = await credentials();
    const key = await (await openKeyDirectory(dir)).masterKey(row?.master_key_id ?? '');
    expect(unsealCredential(key, 'map_1', 1, row?.sealed ?? Buffer.alloc(0)).text()).toBe(
      'old map_1',
    );
  });

  test('a rotation that is killed continues where it was, and loses no change that runs at the same time', async () => {
    await store(3_000);
    const { id: next } = await answer('generate');
    const old = (await openKeyDirectory(dir)).masterKey;
    const usesNew = async () =>
      (await credentials()).filter(({ master_key_id }) => master_key_id === next).length;
    const olderId = (await answer('status')).keys[0].id;
    const older = await old(olderId);
    const replaced = sealCredential(older, 'map_7', 2, Secret.fromText('new map_7'));
    // While a change holds this row, the rotation cannot end.
    const whileHeld = (during: RunOptions['during']) =>
      database.db.transaction().execute(async (trx) => {
        await sql`update mapping set sealed = ${replaced}, applied_seq = 2 where id = 'map_7'`.execute(
          trx,
        );
        await run('rotate', [], { during });
      });
    await whileHeld(async ({ pid }) => {
      await until(async () => (await usesNew()) > 0);
      process.kill(pid, 'SIGKILL');
    });
    expect(await usesNew()).toBeLessThan(3_000);
    const rest = await answer('rotate');
    expect(rest).toMatchObject({ unreadable: 0 });
    expect(rest.resealed).toBeGreaterThan(0);
    const rows = await credentials();
    const key = await old(next);
    expect(rows.every(({ master_key_id }) => master_key_id === next)).toBe(true);
    for (const { id, sealed, applied_seq } of rows)
      expect(unsealCredential(key, id, Number(applied_seq), sealed ?? Buffer.alloc(0)).text()).toBe(
        id === 'map_7' ? 'new map_7' : `old ${id}`,
      );
    const { keys } = await answer('status');
    expect(keys).toMatchObject([
      { id: olderId, present: true, credentials: 0 },
      { id: next, current: true, credentials: 3_000 },
    ]);
  });

  test('credentials of a key that was used stay readable when the key folder is away, and nothing new is sealed', async () => {
    await store(1);
    const keys = await openKeyDirectory(dir);
    const { id } = await keys.currentMasterKey();
    rmSync(path.join(dir, 'master'), { recursive: true });
    const [row] = await credentials();
    const credential = unsealCredential(
      await keys.masterKey(id),
      'map_1',
      1,
      row?.sealed ?? Buffer.alloc(0),
    );
    expect(credential.text()).toBe('old map_1');
    await expect(keys.currentMasterKey()).rejects.toThrow();
  });

  describe('with a key server', () => {
    let server: KeyServerUnderTest;
    beforeAll(async () => {
      server = await startKeyServer();
    }, 3_600_000);
    afterEach(() => server.unseal());
    afterAll(() => server.stop());
    const inServer = () => ({ env: server.env });

    test('the keys of a folder move to a key server by backup, restore and rotate, and no credential is lost', async () => {
      await store(3);
      const folderKey = (await answer('status')).keys[0].id;
      await saved('backup');
      const empty = await run('status', [], inServer());
      expect(JSON.parse(empty.stdout).keys).toMatchObject([
        { id: folderKey, present: false, credentials: 3 },
      ]);
      expect((await saved('restore', PASSPHRASE, server.env)).code).toBe(0);
      const { id } = await answer('generate', [], inServer());
      expect(await answer('rotate', [], inServer())).toEqual({ resealed: 3, unreadable: 0 });
      const { place, problem, keys, warnings } = await answer('status', [], inServer());
      expect([place, problem]).toEqual([expect.stringContaining(server.settings.url), null]);
      expect(keys).toMatchObject([
        { id: folderKey, backedUp: true, credentials: 0 },
        { id, current: true, backedUp: false, credentials: 3 },
      ]);
      expect(warnings).toEqual([expect.stringContaining('has no backup')]);
      const [row] = await credentials();
      const key = await openSealedKeys(database.db, openTransit(server.settings)).masterKey(id);
      expect(unsealCredential(key, 'map_1', 1, row?.sealed ?? Buffer.alloc(0)).text()).toBe(
        'old map_1',
      );
    });

    test('a sealed key server is reported with what to do, and a rotation changes nothing', async () => {
      await store(3);
      await saved('backup');
      await saved('restore', PASSPHRASE, server.env);
      await answer('generate', [], inServer());
      const before = await credentials();
      await server.seal();
      const { code, stdout } = await run('status', [], inServer());
      expect(code).not.toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        problem: 'sealed',
        warnings: [expect.stringContaining('Unseal it'), expect.any(String)],
      });
      const rotated = await run('rotate', [], inServer());
      expect([rotated.code, rotated.stdout]).toEqual([2, expect.stringContaining('Unseal it')]);
      expect(await credentials()).toEqual(before);
    });
  });
});
