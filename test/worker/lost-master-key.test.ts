import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { log } from '../../log';
import { Secret } from '../../model/passwords/secret';
import { currentConfiguration } from '../../store/configuration/versions';
import { sealCredential } from '../../store/worker/credentials';
import { openKeyDirectory } from '../../store/worker/keys/key-directory';
import { openMasterFolder } from '../../store/worker/keys/master-folder';
import { watchKeyStore } from '../../worker/key-store';
import { type TestDatabase, testDatabase } from '../support/database';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'a master key that credentials need', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.close());

  test('the worker reports a lost master key, also while an older key can seal, until the key is back', async () => {
    const { db } = database;
    const dir = path.join(mkdtempSync(path.join(os.tmpdir(), 'lockstep-lost-')), 'keys');
    const keys = await openKeyDirectory(dir);
    const newest = await openMasterFolder(dir).generate();
    const sealed = sealCredential(
      await keys.masterKey(newest),
      'map_1',
      1,
      Secret.fromText('a word'),
    );
    await sql`insert into identity (id, name) values ('idn_1', 'ada')`.execute(db);
    await sql`insert into account (id, identity_id, source, name, name_key, linked_by)
      values ('acc_1', 'idn_1', 'crm', 'ada', 'ada', 'test')`.execute(db);
    await sql`insert into mapping (id, application, identity_id, account_id, sealed, master_key_id, applied_seq)
      values ('map_1', 'crm', 'idn_1', 'acc_1', ${sealed}, ${newest}, 1)`.execute(db);
    const file = path.join(dir, 'master', `${newest}.key`);
    const configuration = () => currentConfiguration(db);

    renameSync(file, `${file}.away`);
    const watch = watchKeyStore({ db, keys, configuration });
    expect(await watch.look()).toMatchObject({ keyStoreProblem: 'missing' });
    expect(watch.missing()).toEqual(['key store (missing)']);

    renameSync(`${file}.away`, file);
    expect(await watch.look()).toMatchObject({ keyStoreProblem: null });
    expect(watch.missing()).toEqual([]);

    // From now on the credential needs an older key.
    const current = await openMasterFolder(dir).generate();
    const warn = jest.spyOn(log, 'warn');
    const again = watchKeyStore({ db, keys, configuration });
    renameSync(file, `${file}.away`);
    for (const _ of [1, 2, 3])
      expect(await again.look()).toMatchObject({
        ...{ keyStoreProblem: 'older_missing', currentMasterKey: current },
      });
    expect(again.missing()).toEqual(['key store (older_missing)']);
    writeFileSync(file, 'cut off', { mode: 0o400 });
    expect(await again.look()).toMatchObject({ keyStoreProblem: 'older_damaged' });
    expect(warn.mock.calls.map(([says]) => says)).toEqual([
      expect.stringContaining('Changes go on, but some stored credentials cannot be read.'),
      expect.stringContaining('damaged'),
    ]);
    rmSync(file);
    renameSync(`${file}.away`, file);
    expect(await again.look()).toMatchObject({ keyStoreProblem: null });
    warn.mockRestore();
  });
});
