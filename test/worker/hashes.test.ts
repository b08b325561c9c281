import { encode } from '../../connectors/encodings';
import type { Temporal } from '../../local/temporal';
import type { Scheme } from '../../model/hashes/encoding';
import { Secret } from '../../model/passwords/secret';
import { findIdentity } from '../../store/people/identities';
import { linkMapping } from '../../store/people/mappings';
import { startTestApi, type TestApi } from '../support/api';
import { type Company, type CompanyAccount, startCompany } from '../support/company';
import { startEngine } from '../support/engine';
import { brokenInvariants } from '../support/invariants';
import { type Lockstep, startLockstep } from '../support/lockstep';
import { addSomebody, holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';

/** Sources that give only the hash of a new password, on real servers, through the api. */
describeWith(['slapd', 'postgres', 'temporal'], 'a hash of a password', () => {
  let engine: Temporal;
  let company: Company;
  let lockstep: Lockstep;
  let api: TestApi;
  let relay: string;
  let desk: string;

  const hashesOf = (...forms: Scheme[]) => ({
    capture: { enabled: true, verifyCurrent: false, forms },
  });
  /** `crm` gives hashes; the policy of everybody takes no password at all. */
  const document = (authSource: 'directory' | 'apps' | 'warehouse', form: Scheme = 'ssha512') => {
    const { directory, apps, ...others } = company.sources({ crm: hashesOf(form) });
    const knowing = (source: object = {}) => ({
      ...source,
      settings: { ...('settings' in source ? (source.settings as object) : {}), hashes: [form] },
      ...(form === 'ssha512' ? hashesOf(form) : {}),
    });
    return {
      version: 1,
      sources: { ...others, directory: knowing(directory), apps: knowing(apps) },
      policies: { everyone: { minLength: 200, maxLength: 400 } },
      groups: { all: { policy: 'everyone', authSource, sources: [authSource, 'crm'] } },
      applications: { reports: { source: 'apps' } },
    };
  };

  beforeAll(async () => {
    company = await startCompany();
    engine = await startEngine();
    lockstep = await startLockstep(engine);
    await lockstep.configure(document('apps'));
    lockstep.startWorker();
    api = await startTestApi({ database: lockstep.database, keyDir: lockstep.keyDir });
    relay = await api.newKey(['capture']);
    desk = await api.newKey(['trigger', 'read']);
  });
  afterEach(async () => {
    await company.proxies.apps.pass();
    expect(await brokenInvariants(lockstep.database.db)).toEqual({});
  });
  afterAll(async () => {
    await api.stopProcess();
    await lockstep.stop();
    await engine.stop();
    await company.stop();
  });

  const capture = async (account: CompanyAccount, encoded: string) =>
    api.send('POST', '/v1/captures', {
      key: relay,
      body: {
        source: account.source,
        account: account.name,
        encoded,
        capturedAt: new Date().toISOString(),
      },
    });
  const somebody = async (auth: 'directory' | 'apps' | 'warehouse') => {
    const { person, accounts } = await addSomebody(lockstep, company, auth, 'crm');
    const [first, crm] = accounts;
    if (first === undefined || crm === undefined) throw new Error('no accounts');
    return { person, auth: first, crm };
  };
  const outcomes = async (id: unknown) =>
    (await lockstep.readEnd(String(id))).accounts.map(({ source, state, reason, proof }) => [
      source,
      state,
      reason,
      proof,
    ]);
  const rowOf = (account: CompanyAccount) => company.hashOf(account);

  test(
    keeps('is carried on as it is, and a login takes its password; no policy judges it', 20, 8),
    async () => {
      await lockstep.configure(document('apps'));
      const { auth, crm } = await somebody('apps');
      const word = newPassword();
      await crm.changeThere(word);
      const hash = await rowOf(crm);
      const { status, body } = await capture(crm, hash);
      expect([status, body.form, body.policy]).toEqual([202, 'ssha512', 'skipped']);
      expect(await outcomes(body.id)).toEqual([
        ['apps', 'applied', null, 'hash'],
        ['crm', 'applied', 'origin', 'none'],
      ]);
      expect(await holders([auth, crm], word)).toEqual([true, true]);
      const { rows } = await lockstep.database.pool.query(
        `select detail from audit where change_id = $1 and action = 'change.accepted'`,
        [body.id],
      );
      expect(rows[0].detail).toMatchObject({ form: 'ssha512' });
      expect(JSON.stringify(rows)).not.toContain(hash);
      // It comes back from where it was written.
      expect((await capture(auth, hash)).body).toMatchObject({ result: 'echo' });
    },
  );

  test(keeps('that we made ourselves is known again by its salt', 14), async () => {
    const relaxed = { ...document('apps'), policies: { everyone: {} } };
    await lockstep.configure(relaxed);
    const { person, auth, crm } = await somebody('apps');
    const word = newPassword();
    const { body } = await api.send('POST', '/v1/changes', {
      key: desk,
      body: { identity: person, password: word },
    });
    expect(body).toMatchObject({ form: 'plaintext', policy: 'judged' });
    expect(await lockstep.readEnd(String(body.id))).toMatchObject({ state: 'done' });
    expect(await holders([auth, crm], word)).toEqual([true, true]);
    expect((await capture(crm, await rowOf(crm))).body).toMatchObject({ result: 'echo' });
    await crm.changeThere(word);
    expect((await capture(crm, await rowOf(crm))).status).toBe(202);
  });

  test('without a salt is never taken for one that we made', async () => {
    const { crm: table, ...others } = company.sources();
    const settings = { ...Object(table).settings, scheme: 'mysql-native' };
    const lone = { kind: 'sql-column', settings };
    await lockstep.configure({
      version: 1,
      sources: { ...others, crm: { ...lone, ...hashesOf('mysql-native'), policy: 'everyone' } },
      policies: { everyone: {} },
    });
    const { accounts } = await addSomebody(lockstep, company, 'crm');
    const [crm] = accounts;
    if (crm === undefined) throw new Error('no account');
    const account = { source: 'crm', name: crm.name };
    const asked = { account, password: newPassword() };
    const { body } = await api.send('POST', '/v1/changes', { key: desk, body: asked });
    expect(await lockstep.readEnd(String(body.id))).toMatchObject({ state: 'done' });
    const other = await encode('mysql-native', Secret.fromText(newPassword()));
    expect((await capture(crm, other)).status).toBe(202);
  });

  test(
    keeps('is no credential: the mapping of its account says that it is out of sync', 17),
    async () => {
      await lockstep.configure(document('apps'));
      const { db } = lockstep.database;
      const { person, auth, crm } = await somebody('apps');
      const identity = await findIdentity(db, { name: person });
      const account = identity?.accounts.find(({ name }) => name === auth.name);
      const link = { identityId: identity?.id ?? '', accountId: account?.id ?? '' };
      await linkMapping(db, { ...link, application: 'reports', enabled: true }, 'test');
      const hash = await encode('ssha512', Secret.fromText(newPassword()));
      const { body } = await capture(crm, hash);
      await lockstep.readEnd(String(body.id));
      const mapping = await db
        .selectFrom('mapping')
        .selectAll()
        .where('account_id', '=', link.accountId)
        .executeTakeFirstOrThrow();
      expect(mapping).toMatchObject({ state: 'out_of_sync', reason: 'hash_only', sealed: null });
    },
  );

  test('cannot be seen where it is stored: applied, and told as not proved', async () => {
    await lockstep.configure(document('warehouse', 'scram-sha-256'));
    const { auth, crm } = await somebody('warehouse');
    const word = newPassword();
    const verifier = await encode('scram-sha-256', Secret.fromText(word));
    const { body } = await capture(crm, verifier);
    expect(await outcomes(body.id)).toEqual([
      ['warehouse', 'applied', null, 'none'],
      ['crm', 'applied', 'origin', 'none'],
    ]);
    expect(await auth.logsIn(word)).toBe(true);
  });

  test('that the password policy of a directory refuses is told as such, and nobody else gets it', async () => {
    await lockstep.configure(document('directory'));
    const { auth, crm } = await somebody('directory');
    const word = newPassword();
    await crm.changeThere(word);
    const { body } = await capture(crm, await rowOf(crm));
    expect(await outcomes(body.id)).toEqual([
      ['directory', 'rejected', 'encoding_not_supported', 'none'],
      ['crm', 'applied', 'origin', 'none'],
    ]);
    expect(await auth.logsIn(word)).toBe(false);
  });

  test('whose scheme the source does not take any more is not written, and never taken for a password', async () => {
    await lockstep.configure(document('apps'));
    const { auth, crm } = await somebody('apps');
    const hash = await encode('ssha512', Secret.fromText(newPassword()));
    const { apps, ...sources } = document('apps').sources;
    await company.proxies.apps.refuse();
    company.proxies.apps.cut();
    const { body } = await capture(crm, hash);
    await lockstep.readUntil(String(body.id), ({ accounts }) =>
      accounts.some(({ state }) => state === 'waiting'),
    );
    const forgetful = { ...apps, settings: { ...apps?.settings, hashes: [] } };
    await lockstep.configure({ ...document('apps'), sources: { ...sources, apps: forgetful } });
    await company.proxies.apps.pass();
    await lockstep.forgetTroubles();
    await lockstep.command(String(body.id), 'retry');
    expect(await outcomes(body.id)).toEqual([
      ['apps', 'rejected', 'encoding_not_supported', 'none'],
      ['crm', 'applied', 'origin', 'none'],
    ]);
    expect(await auth.logsIn(hash)).toBe(false);
  });
});
