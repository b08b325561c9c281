import type { Temporal } from '../../local/temporal';
import { findIdentity } from '../../store/people/identities';
import { startTestApi, type TestApi } from '../support/api';
import { type Company, type CompanyAccount, startCompany } from '../support/company';
import { startEngine } from '../support/engine';
import { brokenInvariants } from '../support/invariants';
import { type Lockstep, startLockstep, type TestWorker } from '../support/lockstep';
import { addSomebody, holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

/** What a sign-in brings back, on real servers: the auth account is in OpenLDAP, the others there and in PostgreSQL. */
describeWith(['slapd', 'postgres', 'temporal'], 'a sign-in that is reported', () => {
  let engine: Temporal;
  let company: Company;
  let lockstep: Lockstep;
  let worker: TestWorker;
  let api: TestApi;
  let portal: string;
  let admin: string;

  beforeAll(async () => {
    company = await startCompany();
    engine = await startEngine();
    lockstep = await startLockstep(engine);
    await lockstep.configure({
      version: 1,
      sources: company.sources(),
      policies: { everyone: {} },
      groups: {
        all: {
          policy: 'everyone',
          authSource: 'directory',
          sources: ['directory', 'apps', 'warehouse', 'crm'],
        },
      },
    });
    worker = lockstep.startWorker();
    api = await startTestApi({ database: lockstep.database, keyDir: lockstep.keyDir });
    portal = await api.newKey(['sign-in'], ['all']);
    admin = await api.newKey(['admin']);
  });
  afterEach(async () => {
    for (const proxy of Object.values(company.proxies)) await proxy.pass();
    await lockstep.forgetTroubles();
    const { db } = lockstep.database;
    expect(await db.selectFrom('sealed_sign_in').select('job_id').execute()).toEqual([]);
    expect(await brokenInvariants(db)).toEqual({});
  });
  afterAll(async () => {
    await api.stopProcess();
    await lockstep.stop();
    await engine.stop();
    await company.stop();
  });

  const report = (identity: string, password: string) =>
    api.send('POST', '/v1/sign-ins', { key: portal, body: { identity, password } });
  const stale = async (identity: string) => {
    const { body } = await api.send('GET', `/v1/stale?identity=${identity}`, { key: admin });
    return (body.stale as { source: string; code: string }[]).map(({ source, code }) => [
      source,
      code,
    ]);
  };
  const changesOf = async (person: string) =>
    (
      await lockstep.database.db
        .selectFrom('change')
        .select('id')
        .where('identity_name', '=', person)
        .execute()
    ).length;
  const outcomes = async (id: unknown) =>
    (await lockstep.readEnd(String(id))).accounts.map(({ label, state, reason }) => [
      label,
      state,
      reason,
    ]);
  const stored = async (account: CompanyAccount | undefined) => {
    const which = { ref: { name: account?.name ?? '', nativeId: null }, password: '', key: '' };
    return String((await company.directories.apps.read(which)).userPassword);
  };

  /** Everybody took `word` but `warehouse`, which was away for as long as the change could wait. */
  async function somebodyBehind(word: string) {
    const { person, accounts } = await addSomebody(
      lockstep,
      company,
      'directory',
      'apps',
      'warehouse',
    );
    await company.proxies.warehouse.refuse();
    company.proxies.warehouse.cut();
    const id = await lockstep.accept({ person, password: word, ageLimitMs: 4_000 });
    await lockstep.readEnd(id);
    await company.proxies.warehouse.pass();
    await lockstep.forgetTroubles();
    return { person, accounts };
  }

  test(
    keeps('brings back the account that missed the last change, and writes nobody else', 22),
    async () => {
      const word = newPassword();
      const { person, accounts } = await somebodyBehind(word);
      expect(await holders(accounts, word)).toEqual([true, true, false]);
      expect(await stale(person)).toEqual([['warehouse', 'expired']]);
      const before = await stored(accounts[1]);
      const { status, body } = await report(person, word);
      expect([status, body]).toEqual([
        200,
        { result: 'holds', says: expect.any(String), reason: null, change: expect.any(String) },
      ]);
      expect(await outcomes(body.change)).toEqual([
        ['directory', 'applied', 'origin'],
        ['apps', 'applied', null],
        ['warehouse', 'applied', null],
      ]);
      expect(await holders(accounts, word)).toEqual([true, true, true]);
      expect(await stored(accounts[1])).toBe(before);
      expect(await stale(person)).toEqual([]);
    },
  );

  test('of somebody who missed nothing starts nothing', async () => {
    const word = newPassword();
    const { person } = await addSomebody(lockstep, company, 'directory', 'apps');
    await lockstep.readEnd(await lockstep.accept({ person, password: word }));
    expect((await report(person, word)).body).toMatchObject({ result: 'holds', change: null });
    expect((await report(person, word)).body).toMatchObject({ result: 'holds', change: null });
    expect(await changesOf(person)).toBe(1);
  });

  test('with a wrong password starts nothing, and closes the account for further ones', async () => {
    const word = newPassword();
    const { person, accounts } = await somebodyBehind(word);
    const [directory] = accounts;
    const failures = async () => {
      const which = { ref: { name: directory?.name ?? '', nativeId: null }, password: '', key: '' };
      return [(await company.directories.directory.read(which)).pwdFailureTime ?? []].flat().length;
    };
    const twenty = await Promise.all(
      [...Array(20).keys()].map((n) => report(person, `guess ${n}`)),
    );
    expect(twenty.filter(({ body }) => body.result === 'differs')).toHaveLength(1);
    const closed = twenty.filter(({ status }) => status === 429);
    expect(closed).toHaveLength(19);
    expect(closed[0]?.body).toMatchObject({ code: 'sign_in_closed' });
    expect(await failures()).toBe(1);
    const right = await report(person, word);
    expect(right.status).toBe(429);
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(14 * 60);
    expect(await changesOf(person)).toBe(1);

    const open = () =>
      lockstep.database.db
        .updateTable('sign_in_guard')
        .set({ closed_until: new Date(0) })
        .execute();
    await open();
    expect((await report(person, 'another guess')).body).toMatchObject({ result: 'differs' });
    const again = await report(person, word);
    expect(Number(again.headers.get('retry-after'))).toBeGreaterThan(23 * 3600);
    await open();
    const { body } = await report(person, word);
    expect(body).toMatchObject({ result: 'holds', change: expect.any(String) });
    await lockstep.readEnd(String(body.change));
    expect(await lockstep.database.db.selectFrom('sign_in_guard').selectAll().execute()).toEqual(
      [],
    );
  });

  test('while the auth source is away: not known, and not counted as a failure', async () => {
    const word = newPassword();
    const { person } = await somebodyBehind(word);
    await company.proxies.directory.refuse();
    company.proxies.directory.cut();
    const { body } = await report(person, word);
    expect(body).toMatchObject({ result: 'unknown', reason: 'unreachable', change: null });
    const guard = await lockstep.database.db
      .selectFrom('sign_in_guard')
      .select('failures')
      .executeTakeFirst();
    expect(guard?.failures).toBe(0);
    // The next one finds the source down, and asks nobody.
    expect((await report(person, word)).body).toMatchObject({
      result: 'unknown',
      reason: 'unreachable',
    });
    await lockstep.database.db.deleteFrom('sign_in_guard').execute();
  });

  test('while a change is accepted and not begun starts nothing: that one brings a newer password', async () => {
    const [word, newer] = [newPassword(), newPassword()];
    const { person, accounts } = await somebodyBehind(word);
    await worker.stop();
    const without = lockstep.startWorker('away');
    const id = await lockstep.accept({ person, password: newer });
    const { body } = await report(person, word);
    await without.stop();
    worker = lockstep.startWorker();
    expect(body).toMatchObject({ result: 'holds', change: null });
    await lockstep.readEnd(id);
    expect(await holders(accounts, newer)).toEqual([true, true, true]);
  });

  test('after a change in the auth source that nobody captured: the others follow it', async () => {
    const [word, native] = [newPassword(), newPassword()];
    const { person, accounts } = await addSomebody(
      lockstep,
      company,
      'directory',
      'apps',
      'warehouse',
    );
    await lockstep.readEnd(await lockstep.accept({ person, password: word }));
    await lockstep.database.db
      .updateTable('outcome')
      .set({ updated_at: new Date(Date.now() - 3_600_000) })
      .execute();
    await accounts[0]?.changeThere(native);
    expect(await stale(person)).toEqual([]);
    const look = await api.send('POST', '/v1/sources/directory/look', {
      key: admin,
      headers: { prefer: 'wait=60' },
    });
    expect(look.body).toMatchObject({ state: 'done', result: { failed: null } });
    expect(await stale(person)).toContainEqual(['directory', 'changed_there']);
    const { body } = await report(person, native);
    await lockstep.readEnd(String(body.change));
    expect(await holders(accounts, native)).toEqual([true, true, true]);
  });

  test('when the others hold a newer password than the auth account: they keep it', async () => {
    const word = newPassword();
    const { person, accounts } = await somebodyBehind(word);
    const { db } = lockstep.database;
    const identity = await findIdentity(db, { name: person });
    const auth = identity?.accounts.find(({ source }) => source === 'directory');
    // As a group that is directory-last leaves it.
    await db
      .updateTable('outcome')
      .set({ state: 'not_attempted', reason: 'others_unchanged' })
      .where('account_id', '=', auth?.id ?? '')
      .execute();
    await db
      .updateTable('account')
      .set({ applied_seq: 0 })
      .where('id', '=', auth?.id ?? '')
      .execute();
    expect((await report(person, word)).body).toMatchObject({ result: 'holds', change: null });
    expect(await holders(accounts, word)).toEqual([true, true, false]);
    await db
      .deleteFrom('outcome')
      .where('account_id', '=', auth?.id ?? '')
      .execute();
  });

  test('without a worker: not known, and the sealed password is gone soon', async () => {
    const word = newPassword();
    const { person } = await somebodyBehind(word);
    await worker.stop();
    expect((await report(person, word)).body).toMatchObject({ result: 'unknown', change: null });
    const { db } = lockstep.database;
    await until(async () => {
      const left = await db.selectFrom('sealed_sign_in').select('job_id').execute();
      return left.length === 0;
    });
    worker = lockstep.startWorker();
    const { body } = await report(person, word);
    expect(body).toMatchObject({ result: 'holds', change: expect.any(String) });
    await lockstep.readEnd(String(body.change));
  });

  test('of nobody, or by a key of other groups: nothing is asked', async () => {
    expect((await report('nobody', 'x')).body).toMatchObject({ code: 'identity_unknown' });
    const { person } = await addSomebody(lockstep, company, 'apps');
    expect((await report(person, 'x')).body).toMatchObject({ code: 'no_auth_account' });
    const key = await api.newKey(['sign-in'], ['others']);
    const body = { identity: person, password: 'x' };
    expect((await api.send('POST', '/v1/sign-ins', { key, body })).body).toMatchObject({
      code: 'identity_unknown',
    });
  });
});
