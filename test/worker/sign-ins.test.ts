import { findIdentity } from '../../store/people/identities';
import type { TestApi } from '../support/api';
import type { TestWorker } from '../support/lockstep';
import { holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { entryOf, workerSuite } from '../support/worker-suite';

/** Sign-ins that an application reports, on real servers. The auth account is in OpenLDAP, the others there and in PostgreSQL. */
describeWith(['slapd', 'postgres', 'temporal'], 'a reported sign-in', () => {
  const suite = workerSuite();
  let worker: TestWorker;
  let api: TestApi;
  let portal: string;
  let admin: string;

  beforeAll(async () => {
    worker = suite.worker;
    api = await suite.startApi();
    portal = await api.newKey(['sign-in'], ['all']);
    admin = await api.newKey(['admin']);
    // Once it has carried out a change, the worker is connected to the engine: changes with a short age limit follow.
    const { person } = await suite.addPerson('directory');
    await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: newPassword() }));
  });
  afterEach(async () => {
    const { db } = suite.lockstep.database;
    expect(await db.selectFrom('sealed_sign_in').select('job_id').execute()).toEqual([]);
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
      await suite.lockstep.database.db
        .selectFrom('change')
        .select('id')
        .where('identity_name', '=', person)
        .execute()
    ).length;
  const outcomes = async (id: unknown) =>
    (await suite.lockstep.readEnd(String(id))).accounts.map(({ label, state, reason }) => [
      label,
      state,
      reason,
    ]);
  /** Adds a person whose accounts hold `word`, except the one in `warehouse`, which was unreachable until the change expired. */
  async function addPersonBehind(word: string) {
    const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse');
    await suite.takeAway('warehouse');
    const id = await suite.lockstep.accept({ person, password: word, ageLimitMs: 4_000 });
    await suite.lockstep.readEnd(id);
    await suite.company.proxies.warehouse.pass();
    await suite.lockstep.forgetTroubles();
    return { person, accounts };
  }

  test(
    keeps(
      'a sign-in updates the account that missed the last change and rewrites no other account',
      22,
    ),
    async () => {
      const word = newPassword();
      const { person, accounts } = await addPersonBehind(word);
      expect(await holders(accounts, word)).toEqual([true, true, false]);
      expect(await stale(person)).toEqual([['warehouse', 'expired']]);
      const before = await suite.storedInApps(accounts[1]);
      const { status, body } = await report(person, word);
      expect([status, body]).toEqual([
        200,
        { result: 'holds', says: expect.any(String), reason: null, change: expect.any(String) },
      ]);
      expect(await outcomes(body.change)).toEqual([
        ['directory', 'applied', 'origin'],
        ['apps', 'applied', 'already_held'],
        ['warehouse', 'applied', null],
      ]);
      expect(await holders(accounts, word)).toEqual([true, true, true]);
      expect(await suite.storedInApps(accounts[1])).toBe(before);
      expect(await stale(person)).toEqual([]);
    },
  );

  test('a sign-in of a person who missed nothing starts no change', async () => {
    const word = newPassword();
    const { person } = await suite.addPerson('directory', 'apps');
    await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: word }));
    expect((await report(person, word)).body).toMatchObject({ result: 'holds', change: null });
    expect((await report(person, word)).body).toMatchObject({ result: 'holds', change: null });
    expect(await changesOf(person)).toBe(1);
  });

  test('a sign-in with a wrong password starts no change and blocks further checks of the account', async () => {
    const word = newPassword();
    const { person, accounts } = await addPersonBehind(word);
    const [directory] = accounts;
    const failures = async () => {
      return [
        (await suite.company.directories.directory.read(entryOf(directory))).pwdFailureTime ?? [],
      ].flat().length;
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
      suite.lockstep.database.db
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
    await suite.lockstep.readEnd(String(body.change));
    expect(
      await suite.lockstep.database.db.selectFrom('sign_in_guard').selectAll().execute(),
    ).toEqual([]);
  });

  test('a sign-in while the auth source is unreachable is unknown and does not count as a failure', async () => {
    const word = newPassword();
    const { person } = await addPersonBehind(word);
    await suite.takeAway('directory');
    const { body } = await report(person, word);
    expect(body).toMatchObject({ result: 'unknown', reason: 'unreachable', change: null });
    const guard = await suite.lockstep.database.db
      .selectFrom('sign_in_guard')
      .select('failures')
      .executeTakeFirst();
    expect(guard?.failures).toBe(0);
    // The next sign-in finds the source down, and does not ask it.
    expect((await report(person, word)).body).toMatchObject({
      result: 'unknown',
      reason: 'unreachable',
    });
    await suite.lockstep.database.db.deleteFrom('sign_in_guard').execute();
  });

  test('a sign-in starts no change while an accepted change has not begun', async () => {
    const [word, newer] = [newPassword(), newPassword()];
    const { person, accounts } = await addPersonBehind(word);
    await worker.stop();
    const without = suite.lockstep.startWorker('away');
    const id = await suite.lockstep.accept({ person, password: newer });
    const { body } = await report(person, word);
    await without.stop();
    worker = suite.lockstep.startWorker();
    expect(body).toMatchObject({ result: 'holds', change: null });
    await suite.lockstep.readEnd(id);
    expect(await holders(accounts, newer)).toEqual([true, true, true]);
  });

  test('a sign-in spreads a password that was changed in the auth source without a capture', async () => {
    const [word, native] = [newPassword(), newPassword()];
    const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse');
    await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: word }));
    await suite.lockstep.database.db
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
    await suite.lockstep.readEnd(String(body.change));
    expect(await holders(accounts, native)).toEqual([true, true, true]);
  });

  test('accounts that hold a newer password than the auth account keep it after a sign-in', async () => {
    const word = newPassword();
    const { person, accounts } = await addPersonBehind(word);
    const { db } = suite.lockstep.database;
    const identity = await findIdentity(db, { name: person });
    const auth = identity?.accounts.find(({ source }) => source === 'directory');
    // A directory-last group leaves such outcomes.
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

  test('a sign-in without a worker is unknown and its sealed password is deleted soon', async () => {
    const word = newPassword();
    const { person } = await addPersonBehind(word);
    await worker.stop();
    expect((await report(person, word)).body).toMatchObject({ result: 'unknown', change: null });
    const { db } = suite.lockstep.database;
    await until(async () => {
      const left = await db.selectFrom('sealed_sign_in').select('job_id').execute();
      return left.length === 0;
    });
    worker = suite.lockstep.startWorker();
    const { body } = await report(person, word);
    expect(body).toMatchObject({ result: 'holds', change: expect.any(String) });
    await suite.lockstep.readEnd(String(body.change));
  });

  test('a sign-in of an unknown person, or by a key of other groups, asks no account', async () => {
    expect((await report('unknown-person', 'x')).body).toMatchObject({ code: 'identity_unknown' });
    const { person } = await suite.addPerson('apps');
    expect((await report(person, 'x')).body).toMatchObject({ code: 'no_auth_account' });
    const key = await api.newKey(['sign-in'], ['others']);
    const body = { identity: person, password: 'x' };
    expect((await api.send('POST', '/v1/sign-ins', { key, body })).body).toMatchObject({
      code: 'identity_unknown',
    });
  });
});
