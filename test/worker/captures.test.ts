import type { Temporal } from '../../local/temporal';
import { revokeApiKey } from '../../store/api-keys';
import { findIdentity } from '../../store/people/identities';
import { linkMapping } from '../../store/people/mappings';
import { unsealCredential } from '../../store/worker/credentials';
import { startTestApi, type TestApi } from '../support/api';
import {
  type Company,
  type CompanyAccount,
  type SystemName,
  startCompany,
} from '../support/company';
import { startEngine } from '../support/engine';
import { brokenInvariants } from '../support/invariants';
import { type Lockstep, startLockstep } from '../support/lockstep';
import { addSomebody, holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';

/** Passwords that are changed in a source itself, on real servers, through the api. */
describeWith(['slapd', 'postgres', 'temporal'], 'a password that was changed in a source', () => {
  let engine: Temporal;
  let company: Company;
  let lockstep: Lockstep;
  let api: TestApi;
  let relay: string;
  let desk: string;

  const captured = { capture: { enabled: true } };
  const document = (more: Parameters<Company['sources']>[0] = {}) => ({
    version: 1,
    sources: company.sources({
      directory: captured,
      apps: captured,
      warehouse: { capture: { enabled: true, verifyCurrent: false } },
      ...more,
    }),
    policies: { everyone: {} },
    groups: {
      all: {
        policy: 'everyone',
        authSource: 'directory',
        sources: ['directory', 'apps', 'warehouse', 'crm'],
      },
    },
    applications: { reports: { source: 'warehouse' } },
  });

  beforeAll(async () => {
    company = await startCompany();
    engine = await startEngine();
    lockstep = await startLockstep(engine);
    await lockstep.configure(document());
    lockstep.startWorker();
    api = await startTestApi({ database: lockstep.database, keyDir: lockstep.keyDir });
    relay = await api.newKey(['capture']);
    desk = await api.newKey(['trigger']);
  });
  afterEach(async () => {
    for (const proxy of Object.values(company.proxies)) await proxy.pass();
    expect(await brokenInvariants(lockstep.database.db)).toEqual({});
  });
  afterAll(async () => {
    await api.stopProcess();
    await lockstep.stop();
    await engine.stop();
    await company.stop();
  });

  async function somebody(...systems: SystemName[]) {
    const { person, accounts } = await addSomebody(lockstep, company, ...systems);
    return { person, accounts, of: (system: SystemName) => accountIn(accounts, system) };
  }
  const accountIn = (accounts: readonly CompanyAccount[], system: SystemName) => {
    const found = accounts.find(({ source }) => source === system);
    if (found === undefined) throw new Error(`no account in ${system}`);
    return found;
  };

  const capture = (account: CompanyAccount, word: string, more: object = {}) =>
    api.send('POST', '/v1/captures', {
      key: relay,
      body: {
        source: account.source,
        account: account.name,
        password: word,
        capturedAt: new Date().toISOString(),
        ...more,
      },
    });
  /** Somebody changes it there, and the relay of the source tells. */
  async function changeThere(account: CompanyAccount, word: string, more: object = {}) {
    await account.changeThere(word);
    return capture(account, word, more);
  }
  const ask = async (person: string, word: string) => {
    const reply = await api.send('POST', '/v1/changes', {
      key: desk,
      body: { identity: person, password: word },
    });
    return lockstep.readEnd(String(reply.body.id));
  };
  const standings = async (id: unknown) =>
    (await lockstep.readEnd(String(id))).accounts.map(({ label, state, reason, attempts }) => [
      label,
      state,
      reason,
      attempts,
    ]);

  test(
    keeps('in the auth source: is carried to the others, and never written back', 14),
    async () => {
      const { accounts, of } = await somebody('directory', 'apps', 'warehouse', 'crm');
      const word = newPassword();
      const reply = await changeThere(of('directory'), word);
      expect(reply.status).toBe(202);
      expect(await standings(reply.body.id)).toEqual([
        ['directory', 'applied', 'origin', 0],
        ['apps', 'applied', null, 1],
        ['warehouse', 'applied', null, 1],
        ['crm', 'applied', null, 1],
      ]);
      expect(await lockstep.read(String(reply.body.id))).toMatchObject({ state: 'done' });
      expect(await holders(accounts, word)).toEqual([true, true, true, true]);
    },
  );

  test('in another source: the auth account goes first, and the source is not written back', async () => {
    const { accounts, of } = await somebody('directory', 'apps', 'warehouse');
    const word = newPassword();
    const { body } = await changeThere(of('warehouse'), word);
    expect(await standings(body.id)).toEqual([
      ['directory', 'applied', null, 1],
      ['apps', 'applied', null, 1],
      ['warehouse', 'applied', 'origin', 0],
    ]);
    expect(await holders(accounts, word)).toEqual([true, true, true]);
  });

  test('in another source, and the auth account refuses it: nobody else is tried, and its own mapping follows', async () => {
    const { person, accounts, of } = await somebody('directory', 'apps', 'warehouse');
    const { db } = lockstep.database;
    const identity = await findIdentity(db, { name: person });
    const account = identity?.accounts.find(({ source }) => source === 'warehouse');
    const link = { identityId: identity?.id ?? '', accountId: account?.id ?? '' };
    await linkMapping(db, { ...link, application: 'reports', enabled: true }, 'test');
    const strict = await company.directories.directory.addPolicy({
      pwdCheckQuality: '2',
      pwdMinLength: '80',
    });
    const auth = { ref: { name: of('directory').name, nativeId: null }, password: '', key: '' };
    await company.directories.directory.replace(auth, 'pwdPolicySubentry', strict);
    const word = newPassword();
    const { body } = await changeThere(of('warehouse'), word);
    expect(await standings(body.id)).toEqual([
      ['directory', 'rejected', 'policy_too_short', 1],
      ['apps', 'not_attempted', 'auth_unchanged', 0],
      ['warehouse', 'applied', 'origin', 0],
    ]);
    expect(await lockstep.read(String(body.id))).toMatchObject({ state: 'refused' });
    expect(await holders(accounts, word)).toEqual([false, false, true]);
    const row = await db
      .selectFrom('mapping')
      .selectAll()
      .where('account_id', '=', link.accountId)
      .executeTakeFirstOrThrow();
    const master = await lockstep.keys.masterKey(row.master_key_id ?? '');
    const credential = unsealCredential(master, row.id, row.applied_seq, row.sealed as Buffer);
    expect([row.state, credential.text()]).toEqual(['in_sync', word]);
  });

  test('brings the current password where that has to be checked: the auth account is asked for it', async () => {
    const { person, accounts, of } = await somebody('directory', 'apps');
    const [old, next] = [newPassword(), newPassword()];
    await ask(person, old);
    const without = await changeThere(of('apps'), next);
    expect(without.body).toMatchObject({ status: 422, code: 'current_password_missing' });
    const wrong = await capture(of('apps'), next, { currentPassword: 'not the current one' });
    expect(await lockstep.readEnd(String(wrong.body.id))).toMatchObject({
      state: 'refused',
      reason: 'wrong_current_password',
    });
    expect(await holders(accounts, next)).toEqual([false, true]);
    const right = await capture(of('apps'), next, { currentPassword: old });
    expect(await lockstep.readEnd(String(right.body.id))).toMatchObject({ state: 'done' });
    expect(await holders(accounts, next)).toEqual([true, true]);
  });

  test(keeps('by us: our own write is known again, in every source', 14), async () => {
    const { person, accounts, of } = await somebody('directory', 'apps', 'warehouse');
    const word = newPassword();
    await ask(person, word);
    for (const account of accounts)
      expect((await capture(account, word)).body).toMatchObject({ result: 'echo' });
    const next = newPassword();
    const { body } = await changeThere(of('directory'), next);
    await lockstep.readEnd(String(body.id));
    expect((await capture(of('warehouse'), next)).body).toMatchObject({ result: 'echo' });
  });

  test(keeps('to another one and back again, in a moment: both are carried out', 13), async () => {
    const { person, accounts, of } = await somebody('directory', 'apps', 'warehouse');
    const [a, b] = [newPassword(), newPassword()];
    await ask(person, a);
    for (const word of [b, a, b]) {
      const { status, body } = await changeThere(of('directory'), word);
      expect(status).toBe(202);
      await lockstep.readEnd(String(body.id));
      expect(await holders(accounts, word)).toEqual([true, true, true]);
    }
  });

  test(
    keeps('before the latest change: changes nothing, though it is told later', 12),
    async () => {
      const { person, accounts, of } = await somebody('directory', 'apps', 'warehouse');
      const [old, newer] = [newPassword(), newPassword()];
      const capturedAt = new Date().toISOString();
      await of('apps').changeThere(old);
      await ask(person, newer);
      const late = await capture(of('apps'), old, { capturedAt, currentPassword: 'any' });
      expect(late.body).toMatchObject({ result: 'stale' });
      expect(await holders(accounts, newer)).toEqual([true, true, true]);
    },
  );

  test(keeps('and told twice: one change', 13), async () => {
    const { accounts, of } = await somebody('directory', 'apps', 'warehouse');
    const word = newPassword();
    const capturedAt = new Date().toISOString();
    await of('directory').changeThere(word);
    const both = await Promise.all(
      [1, 2].map(() => capture(of('directory'), word, { capturedAt })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 202]);
    expect(both.find(({ status }) => status === 200)?.body).toMatchObject({ result: 'duplicate' });
    await lockstep.readEnd(String(both.find(({ status }) => status === 202)?.body.id));
    expect(await holders(accounts, word)).toEqual([true, true, true]);
  });

  test('while we were writing an older one there: it is looked at, and ends with the newest', async () => {
    const { person, accounts, of } = await somebody('directory', 'apps', 'warehouse');
    const [older, newer] = [newPassword(), newPassword()];
    const capturedAt = new Date().toISOString();
    await of('warehouse').changeThere(newer);
    // Accepted before, written after; here it is told as of a moment before it was asked for.
    await ask(person, older);
    await lockstep.database.db
      .updateTable('change')
      .set({ created_at: new Date(Date.parse(capturedAt) - 1000) })
      .where('identity_name', '=', person)
      .execute();
    expect(await holders(accounts, older)).toEqual([true, true, true]);
    const { body } = await capture(of('warehouse'), newer, { capturedAt });
    expect(await standings(body.id)).toEqual([
      ['directory', 'applied', null, 1],
      ['apps', 'applied', null, 1],
      ['warehouse', 'applied', null, 1],
    ]);
    expect(await holders(accounts, newer)).toEqual([true, true, true]);
  });

  test('in the auth source, while an older change waits: that one is superseded', async () => {
    const { person, accounts, of } = await somebody('directory', 'apps', 'warehouse');
    await company.proxies.apps.refuse();
    company.proxies.apps.cut();
    const older = await lockstep.accept({ person, password: newPassword() });
    await lockstep.readUntil(older, ({ state }) => state === 'waiting');
    // As if the older one had been written a while ago: then the capture is believed without a look.
    await lockstep.database.db
      .updateTable('outcome')
      .set({ updated_at: new Date(Date.now() - 60_000) })
      .where('change_id', '=', older)
      .execute();
    const word = newPassword();
    const { body } = await changeThere(of('directory'), word);
    const id = String(body.id);
    expect(await standings(older)).toContainEqual(['apps', 'superseded', null, 1]);
    await lockstep.readUntil(id, ({ state }) => state === 'waiting');
    await company.proxies.apps.pass();
    await lockstep.command(id, 'retry');
    await lockstep.readEnd(id);
    expect(await holders(accounts, word)).toEqual([true, true, true]);
  });

  test(
    keeps(
      'and the API key is revoked while an account waits: what is not written is cancelled',
      25,
    ),
    async () => {
      const { accounts, of } = await somebody('directory', 'apps', 'warehouse');
      relay = await api.newKey(['capture']);
      await company.proxies.apps.refuse();
      company.proxies.apps.cut();
      const word = newPassword();
      const { body } = await changeThere(of('directory'), word);
      const id = String(body.id);
      await lockstep.readUntil(id, ({ state }) => state === 'waiting');
      await revokeApiKey(lockstep.database.db, `key_${relay.split('_')[1]}`, 'test');
      relay = await api.newKey(['capture']);
      await company.proxies.apps.pass();
      await lockstep.command(id, 'retry');
      expect(await standings(id)).toEqual([
        ['directory', 'applied', 'origin', 0],
        ['apps', 'cancelled', 'no_longer_authorized', 1],
        ['warehouse', 'applied', null, 1],
      ]);
      expect(await holders(accounts, word)).toEqual([true, false, true]);
    },
  );

  test('and the API key is bound to other groups before the auth account is written: nothing is', async () => {
    const { person, accounts } = await somebody('directory', 'apps');
    await company.proxies.directory.refuse();
    company.proxies.directory.cut();
    const word = newPassword();
    const id = await lockstep.accept({ person, password: word });
    await lockstep.readUntil(id, ({ accounts: [auth] }) => auth?.state === 'waiting');
    const bind = (groups: string[] | null) =>
      lockstep.database.db
        .updateTable('api_key')
        .set({ groups })
        .where('id', '=', lockstep.apiKey)
        .execute();
    await bind(['others']);
    await company.proxies.directory.pass();
    await lockstep.command(id, 'retry');
    expect(await lockstep.readEnd(id)).toMatchObject({
      state: 'cancelled',
      reason: 'no_longer_authorized',
    });
    await bind(null);
    expect(await holders(accounts, word)).toEqual([false, false]);
  });
});
