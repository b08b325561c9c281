import { sql } from 'kysely';
import { accountRulesOf } from '../../connectors/registry';
import { Secret } from '../../model/passwords/secret';
import { currentConfiguration } from '../../store/configuration/versions';
import { watchConfiguration } from '../../store/configuration/watch';
import { newId } from '../../store/ids';
import { findIdentity } from '../../store/people/identities';
import { linkMapping } from '../../store/people/mappings';
import { claimJob, finishJob, type Job, type SourceJob } from '../../store/sources/jobs';
import { sealCredential, unsealCredential } from '../../store/worker/credentials';
import {
  type CredentialTarget,
  readCredentialState,
  storeCredential,
  type VerifiedCredential,
} from '../../store/worker/set-credentials';
import { setCredentials } from '../../worker/jobs/set-credentials';
import { lockstep } from '../cli/run-cli';
import type { TestApi } from '../support/api';
import type { TestWorker } from '../support/lockstep';
import { newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { companyDocument, workerSuite } from '../support/worker-suite';

/** Credentials that people and administrators store themselves. The accounts are in OpenLDAP and PostgreSQL. */
describeWith(['slapd', 'postgres', 'temporal'], 'a credential that is set', () => {
  const suite = workerSuite((company) => document(company));
  const document = (
    company: Parameters<typeof companyDocument>[0],
    more: Parameters<typeof companyDocument>[1] = {},
  ) => ({
    ...companyDocument(company, more),
    applications: { reports: { source: 'warehouse' }, wiki: { source: 'apps' } },
  });
  let api: TestApi;
  let admin: string;
  let auditor: string;
  let worker: TestWorker;

  beforeAll(async () => {
    api = await suite.startApi();
    admin = await api.newKey(['configure']);
    auditor = await api.newKey(['audit']);
    worker = suite.worker;
  });
  beforeEach(async () => {
    await suite.lockstep.database.db.deleteFrom('sign_in_guard').execute();
  });

  /** A person with an account in each source, all of which hold `word`, and a disabled mapping without a credential. */
  async function mapped(word: string, application: 'reports' | 'wiki' = 'reports') {
    const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse');
    await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: word }));
    const { db } = suite.lockstep.database;
    const identity = await findIdentity(db, { name: person });
    const source = application === 'wiki' ? 'apps' : 'warehouse';
    const account = identity?.accounts.find((linked) => linked.source === source);
    const link = { identityId: identity?.id ?? '', application, accountId: account?.id ?? '' };
    await linkMapping(db, { ...link, enabled: false }, 'test');
    return { person, accounts };
  }
  const set = (identity: string, password: string, more: object = {}, key = admin) =>
    api.send('POST', '/v1/mappings/set-credentials', {
      key,
      body: { identity, application: 'reports', password, ...more },
    });
  const read = (path: string) => api.send('GET', path, { key: auditor });
  const stored = async (person: string) => {
    const row = await suite.lockstep.database.db
      .selectFrom('mapping')
      .innerJoin('identity', 'identity.id', 'mapping.identity_id')
      .where('identity.name', '=', person)
      .select(['mapping.id', 'sealed', 'master_key_id', 'applied_seq', 'state'])
      .executeTakeFirstOrThrow();
    if (row.sealed === null) return [row.state, null];
    const master = await suite.lockstep.keys.masterKey(row.master_key_id ?? '');
    const credential = unsealCredential(master, row.id, row.applied_seq, row.sealed);
    return [row.state, credential.text()];
  };

  test('a right password is verified by a login and stored, and the account stays unchanged', async () => {
    const word = newPassword();
    const { person, accounts } = await mapped(word, 'wiki');
    const before = await suite.storedInApps(accounts[1]);
    const { status, body } = await set(person, word, { application: 'wiki' });
    expect([status, body]).toEqual([
      200,
      {
        ...{ identity: person, application: 'wiki', source: 'apps', account: accounts[1]?.name },
        ...{ proof: 'login', enabled: false },
      },
    ]);
    expect(await stored(person)).toEqual(['in_sync', word]);
    expect(await suite.storedInApps(accounts[1])).toBe(before);
    const { db } = suite.lockstep.database;
    const { stored_from: storedFrom } = await db
      .selectFrom('mapping')
      .innerJoin('identity', 'identity.id', 'mapping.identity_id')
      .where('identity.name', '=', person)
      .select('stored_from')
      .executeTakeFirstOrThrow();
    expect(storedFrom).toBe('set_verified');
    const audit = await read(`/v1/audit?person=${person}&action=mapping.credential-set`);
    expect(audit.body.records).toMatchObject([{ detail: { proof: 'login' }, person }]);
    expect(audit.text + api.printed()).not.toContain(word);
  });

  test('a wrong password is refused, nothing is stored, and further guesses make no login', async () => {
    const word = newPassword();
    const { person } = await mapped(word);
    expect((await set(person, 'a wrong guess')).body).toMatchObject({ code: 'credential_wrong' });
    const guesses = await Promise.all([...Array(8).keys()].map((n) => set(person, `guess ${n}`)));
    expect(new Set(guesses.map(({ body }) => body.code))).toEqual(new Set(['sign_in_closed']));
    expect((await set(person, word)).status).toBe(429);
    expect(await stored(person)).toEqual(['empty', null]);
    const { body } = await read(`/v1/audit?person=${person}&action=mapping`);
    const refused = (body.records as { action: string; detail: { reason: string } }[])
      .filter(({ action }) => action === 'mapping.credential-refused')
      .map(({ detail }) => detail.reason);
    expect(refused.filter((reason) => reason === 'credential_wrong')).toHaveLength(1);
    expect(refused.filter((reason) => reason === 'sign_in_closed')).toHaveLength(9);
  });

  test('a source that cannot be reached verifies nothing, so nothing is stored and no failure is counted', async () => {
    const word = newPassword();
    const { person } = await mapped(word);
    await suite.takeAway('warehouse');
    expect((await set(person, word)).body).toMatchObject({
      ...{ status: 424, code: 'credential_not_verified', reason: 'unreachable' },
    });
    expect(await stored(person)).toEqual(['empty', null]);
    const guard = await suite.lockstep.database.db
      .selectFrom('sign_in_guard')
      .select('failures')
      .execute();
    expect(guard.every(({ failures }) => failures === 0)).toBe(true);
  });

  test('a change that has not settled the account keeps an older password from being stored', async () => {
    const [word, newer] = [newPassword(), newPassword()];
    const { person } = await mapped(word);
    await suite.takeAway('warehouse');
    const id = await suite.lockstep.accept({ person, password: newer });
    await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
    // The source stays away, because the change settles the account by itself once it is up. The request does not wait
    // for a source that is known to be down, so that is forgotten, and may be found again by the change.
    await until(async () => {
      await suite.lockstep.database.db.deleteFrom('source_state').execute();
      const { body } = await set(person, word);
      return body.code === 'credential_outdated';
    });
    await suite.company.proxies.warehouse.pass();
    await suite.lockstep.forgetTroubles();
    await suite.lockstep.command(id, 'retry');
    await suite.lockstep.readEnd(id);
    expect(await stored(person)).not.toEqual(['in_sync', word]);
    await suite.lockstep.database.db.deleteFrom('sign_in_guard').execute();
    expect((await set(person, newer)).status).toBe(200);
    expect(await stored(person)).toEqual(['in_sync', newer]);
  });

  /** What a worker has at hand that has just verified `word`: the claimed job, and what it would store. */
  async function justVerified(person: string, word: string) {
    const { db } = suite.lockstep.database;
    const { mappingId, accountId, identityId, name, nativeId } = await db
      .selectFrom('mapping')
      .innerJoin('identity', 'identity.id', 'mapping.identity_id')
      .innerJoin('account', 'account.id', 'mapping.account_id')
      .where('identity.name', '=', person)
      .select(['mapping.id as mappingId', 'account_id as accountId', 'identity.id as identityId'])
      .select(['account.name', 'account.native_id as nativeId'])
      .executeTakeFirstOrThrow();
    const target = { mappingId, accountId, identityId, application: 'reports' };
    const { lastSeq = 0 } = (await readCredentialState(db, target)) ?? {};
    const master = await suite.lockstep.keys.currentMasterKey();
    const verified: VerifiedCredential = {
      ...{ lastSeq, account: { name, nativeId }, masterKeyId: master.id },
      sealed: sealCredential(master, mappingId, lastSeq, Secret.fromText(word)),
      result: { result: 'stored', proof: 'login', reason: null },
    };
    const job = { id: newId('job'), source: 'warehouse', requestedBy: 'test' };
    await db
      .insertInto('job')
      .values({
        ...{ id: job.id, source: job.source, requested_by: 'test' },
        ...{ kind: 'set-credentials', parameters: '{}' },
      })
      .execute();
    await db
      .updateTable('job')
      .set({ claimed_until: new Date(Date.now() + 600_000) })
      .where('id', '=', job.id)
      .execute();
    return { job, target, verified };
  }
  /** Empties the mapping, whose credential these tests have sealed for another state of the person. */
  const emptied = ({ mappingId }: CredentialTarget) =>
    suite.lockstep.database.db
      .updateTable('mapping')
      .set({ sealed: null, state: 'empty', master_key_id: null })
      .where('id', '=', mappingId)
      .execute();

  test('a change that begins while the password is verified wins, and stores its own password', async () => {
    const [word, newer] = [newPassword(), newPassword()];
    const { person } = await mapped(word);
    const { db } = suite.lockstep.database;
    await db.updateTable('mapping').set({ enabled: true }).execute();
    const { job, target, verified } = await justVerified(person, word);
    await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: newer }));
    expect(await storeCredential(db, job, target, verified)).toBe(false);
    expect(await stored(person)).toEqual(['in_sync', newer]);
    const current = { ...verified, lastSeq: verified.lastSeq + 1 };
    expect(await storeCredential(db, job, target, current)).toBe(true);
    expect(await storeCredential(db, job, target, current)).toBe(false);
    await emptied(target);
  });

  test.each<[string, { name?: string; native_id?: string; problem?: 'linked_twice' }]>([
    ['renamed', { name: 'renamed-meanwhile' }],
    ['replaced by another one of its name', { native_id: 'of-another-account' }],
    ['found to be linked twice', { problem: 'linked_twice' }],
  ])(
    'nothing is stored for an account that was %s after its password was verified',
    async (_, changed) => {
      const word = newPassword();
      const { person } = await mapped(word);
      const { db } = suite.lockstep.database;
      const { job, target, verified } = await justVerified(person, word);
      const ofAccount = { ...verified, account: { ...verified.account, nativeId: 'verified' } };
      const set = (values: object) =>
        db.updateTable('account').set(values).where('id', '=', target.accountId).execute();
      await set({ native_id: 'verified', ...changed });
      expect(await storeCredential(db, job, target, ofAccount)).toBe(false);
      expect(await stored(person)).toEqual(['empty', null]);
      const { name, nativeId } = verified.account;
      await set({ name, native_id: nativeId, problem: null });
      expect(await storeCredential(db, job, target, verified)).toBe(true);
    },
  );

  test('a credential waits for an administrator who is just renaming its account, and is not stored then', async () => {
    const word = newPassword();
    const { person } = await mapped(word);
    const { db } = suite.lockstep.database;
    const { job, target, verified } = await justVerified(person, word);
    const { accountId } = target;
    const storing: Promise<boolean>[] = [];
    await db.transaction().execute(async (renaming) => {
      await renaming
        .updateTable('account')
        .set({ name: 'renamed-meanwhile' })
        .where('id', '=', accountId)
        .execute();
      storing.push(storeCredential(db, job, target, verified));
      await until(async () => {
        const { rows } =
          await sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
            db,
          );
        return rows.length > 0;
      });
    });
    expect(await Promise.all(storing)).toEqual([false]);
    expect(await stored(person)).toEqual(['empty', null]);
  });

  test('a password that could be verified when it was requested is never stored without that', async () => {
    const word = newPassword();
    const { person } = await mapped(word);
    const { db } = suite.lockstep.database;
    await worker.stop();
    try {
      const answer = set(person, word);
      const claimed: Job[] = [];
      await until(async () => {
        const job = await claimJob(db, 60, ['set-credentials']);
        if (job !== null) claimed.push(job);
        return job !== null;
      });
      const [job] = claimed as SourceJob[];
      const { configuration } = await currentConfiguration(db);
      const { warehouse } = configuration.sources;
      if (job === undefined || warehouse === undefined) throw new Error('nothing was requested');
      const deps = {
        ...{ db, keys: suite.lockstep.keys, configuration: watchConfiguration(db) },
        connector: () => Promise.reject(new Error('no login is made')),
        ...{ accountRules: accountRulesOf, random: () => 0 },
      };
      const unprovable = { ...warehouse, prove: 'never' as const };
      const result = await setCredentials(deps, job, unprovable, configuration);
      expect(result).toMatchObject({ result: 'unverified', proof: null });
      await finishJob(db, job.id, 'done', result);
      expect((await answer).body).toMatchObject({ code: 'credential_not_verified' });
      expect(await stored(person)).toEqual(['empty', null]);
    } finally {
      worker = suite.lockstep.startWorker();
    }
  });

  test('a change that has written the account stores its own password, also while others wait', async () => {
    const [word, newer] = [newPassword(), newPassword()];
    const { person } = await mapped(word);
    const { db } = suite.lockstep.database;
    await db.updateTable('mapping').set({ enabled: true }).execute();
    const { target } = await justVerified(person, word);
    await suite.takeAway('apps');
    const id = await suite.lockstep.accept({ person, password: newer });
    await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
    await until(async () => (await stored(person))[0] === 'in_sync');
    expect(await readCredentialState(db, target)).toMatchObject({ underWay: false });
    // As a moment before, when the worker had written the account and not yet stored its credential.
    await db
      .updateTable('mapping')
      .set({ applied_seq: 0, state: 'empty', sealed: null })
      .where('id', '=', target.mappingId)
      .execute();
    expect(await readCredentialState(db, target)).toMatchObject({ underWay: true });
    await suite.company.proxies.apps.pass();
    await suite.lockstep.forgetTroubles();
    await suite.lockstep.readEnd(id);
    expect(await stored(person)).toEqual(['in_sync', newer]);
  });

  test('a later change replaces a credential that was set', async () => {
    const [word, newer] = [newPassword(), newPassword()];
    const { person } = await mapped(word);
    await suite.lockstep.database.db.updateTable('mapping').set({ enabled: true }).execute();
    await set(person, word);
    await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: newer }));
    expect(await stored(person)).toEqual(['in_sync', newer]);
  });

  test('a source that is never asked stores the password of an administrator only, and says so', async () => {
    const word = newPassword();
    const { person } = await mapped(word);
    await suite.lockstep.configure(document(suite.company, { warehouse: { prove: 'never' } }));
    const portal = await api.newKey(['change-own'], ['all']);
    expect((await set(person, word, {}, portal)).status).toBe(403);
    expect((await set(person, word)).body).toMatchObject({ proof: 'none' });
    await suite.lockstep.configure(document(suite.company));
    expect((await set(person, word, {}, portal)).body).toMatchObject({ proof: 'login' });
  });

  test('wrong passwords block no credential that is stored without a login, and storing it ends their block', async () => {
    const word = newPassword();
    const { person } = await mapped(word);
    expect((await set(person, 'a wrong guess')).body).toMatchObject({ code: 'credential_wrong' });
    expect((await set(person, word)).status).toBe(429);
    await suite.lockstep.configure(document(suite.company, { warehouse: { prove: 'never' } }));
    expect((await set(person, word)).body).toMatchObject({ proof: 'none' });
    await suite.lockstep.configure(document(suite.company));
    expect((await set(person, word)).body).toMatchObject({ proof: 'login' });
  });

  test('a key of another person or of other groups learns nothing about a mapping', async () => {
    const word = newPassword();
    const { person } = await mapped(word);
    const unknown = (await set('unknown-person', word)).body;
    const other = await api.newKey(['change-own'], ['others']);
    expect((await set(person, word, {}, other)).body).toMatchObject({
      ...{ code: unknown.code, detail: unknown.detail },
    });
    expect((await set(person, word, { account: 'unknown' })).body.code).toBe(unknown.code);
    expect((await set(person, word, { application: 'wiki' })).body.code).toBe(unknown.code);
  });

  test('lockstep mappings set-credentials reads the password from stdin, and never from the command line', async () => {
    const word = newPassword();
    const { person } = await mapped(word);
    const env = { LOCKSTEP_URL: api.url, LOCKSTEP_API_KEY: admin };
    const run = (stdin: string, ...more: string[]) =>
      lockstep(['mappings', 'set-credentials', person, 'reports', ...more], { env, stdin });
    const refused = await run('', '--password', word);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('shell saves it')]);
    const wrong = await run('wrong\n');
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringContaining('The account holds another password, so nothing was stored.'),
    ]);
    await suite.lockstep.database.db.deleteFrom('sign_in_guard').execute();
    const { code, stdout } = await run(`${word}\n`);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/verified by a login\.\nThe mapping is disabled\. Next: lockstep/),
    ]);
    expect(await stored(person)).toEqual(['in_sync', word]);
  });

  test('a password that no worker verifies in time is refused, deleted, and never stored later', async () => {
    const word = newPassword();
    const { person } = await mapped(word);
    await worker.stop();
    expect((await set(person, word)).body).toMatchObject({ code: 'credential_not_verified' });
    worker = suite.lockstep.startWorker();
    const { db } = suite.lockstep.database;
    await until(
      async () => (await db.selectFrom('sealed_sign_in').select('job_id').execute()).length === 0,
    );
    expect(await stored(person)).toEqual(['empty', null]);
  });
});
