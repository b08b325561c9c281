import { revokeApiKey } from '../../store/api-keys';
import { findIdentity } from '../../store/people/identities';
import { linkMapping } from '../../store/people/mappings';
import { unsealCredential } from '../../store/worker/credentials';
import type { TestApi } from '../support/api';
import type { CompanyAccount, SystemName } from '../support/company';
import { holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { companyDocument, workerSuite } from '../support/worker-suite';

/** Password changes that are captured in a source and reported to the api, on real servers. */
describeWith(['slapd', 'postgres', 'temporal'], 'a captured password change', () => {
  let api: TestApi;
  let relay: string;
  let desk: string;

  const captured = { capture: { enabled: true } };
  const suite = workerSuite((company) => ({
    ...companyDocument(company, {
      directory: captured,
      apps: captured,
      warehouse: { capture: { enabled: true, verifyCurrent: false } },
    }),
    applications: { reports: { source: 'warehouse' } },
  }));
  beforeAll(async () => {
    api = await suite.startApi();
    relay = await api.newKey(['capture']);
    desk = await api.newKey(['trigger']);
  });

  async function addPerson(...systems: SystemName[]) {
    const { person, accounts } = await suite.addPerson(...systems);
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
  /** Changes the password in its source, and reports it as the relay of the source does. */
  async function changeThere(account: CompanyAccount, word: string, more: object = {}) {
    await account.changeThere(word);
    return capture(account, word, more);
  }
  const requestChange = async (person: string, word: string) => {
    const reply = await api.send('POST', '/v1/changes', {
      key: desk,
      body: { identity: person, password: word },
    });
    return suite.lockstep.readEnd(String(reply.body.id));
  };
  const outcomes = async (id: unknown) =>
    (await suite.lockstep.readEnd(String(id))).accounts.map(
      ({ label, state, reason, attempts }) => [label, state, reason, attempts],
    );

  test(
    keeps(
      'a change captured in the auth source is written to the other accounts and never written back',
      14,
    ),
    async () => {
      const { accounts, of } = await addPerson('directory', 'apps', 'warehouse', 'crm');
      const word = newPassword();
      const reply = await changeThere(of('directory'), word);
      expect(reply.status).toBe(202);
      expect(await outcomes(reply.body.id)).toEqual([
        ['directory', 'applied', 'origin', 0],
        ['apps', 'applied', null, 1],
        ['warehouse', 'applied', null, 1],
        ['crm', 'applied', null, 1],
      ]);
      expect(await suite.lockstep.read(String(reply.body.id))).toMatchObject({ state: 'done' });
      expect(await holders(accounts, word)).toEqual([true, true, true, true]);
    },
  );

  test('a change captured in another source is written to the auth account first and never written back', async () => {
    const { accounts, of } = await addPerson('directory', 'apps', 'warehouse');
    const word = newPassword();
    const { body } = await changeThere(of('warehouse'), word);
    expect(await outcomes(body.id)).toEqual([
      ['directory', 'applied', null, 1],
      ['apps', 'applied', null, 1],
      ['warehouse', 'applied', 'origin', 0],
    ]);
    expect(await holders(accounts, word)).toEqual([true, true, true]);
  });

  test('no other account is tried when the auth account rejects a captured password, but the mapping of the origin advances', async () => {
    const { person, accounts, of } = await addPerson('directory', 'apps', 'warehouse');
    const { db } = suite.lockstep.database;
    const identity = await findIdentity(db, { name: person });
    const account = identity?.accounts.find(({ source }) => source === 'warehouse');
    const link = { identityId: identity?.id ?? '', accountId: account?.id ?? '' };
    await linkMapping(db, { ...link, application: 'reports', enabled: true }, 'test');
    await suite.rejectPasswords(of('directory'));
    const word = newPassword();
    const { body } = await changeThere(of('warehouse'), word);
    expect(await outcomes(body.id)).toEqual([
      ['directory', 'rejected', 'policy_too_short', 1],
      ['apps', 'not_attempted', 'auth_unchanged', 0],
      ['warehouse', 'applied', 'origin', 0],
    ]);
    expect(await suite.lockstep.read(String(body.id))).toMatchObject({ state: 'refused' });
    expect(await holders(accounts, word)).toEqual([false, false, true]);
    const row = await db
      .selectFrom('mapping')
      .selectAll()
      .where('account_id', '=', link.accountId)
      .executeTakeFirstOrThrow();
    const master = await suite.lockstep.keys.masterKey(row.master_key_id ?? '');
    const credential = unsealCredential(master, row.id, row.applied_seq, row.sealed as Buffer);
    expect([row.state, credential.text()]).toEqual(['in_sync', word]);
  });

  test('a capture must bring the correct current password where the source requires it', async () => {
    const { person, accounts, of } = await addPerson('directory', 'apps');
    const [old, next] = [newPassword(), newPassword()];
    await requestChange(person, old);
    const without = await changeThere(of('apps'), next);
    expect(without.body).toMatchObject({ status: 422, code: 'current_password_missing' });
    const wrong = await capture(of('apps'), next, { currentPassword: 'not the current one' });
    expect(await suite.lockstep.readEnd(String(wrong.body.id))).toMatchObject({
      state: 'refused',
      reason: 'wrong_current_password',
    });
    expect(await holders(accounts, next)).toEqual([false, true]);
    const right = await capture(of('apps'), next, { currentPassword: old });
    expect(await suite.lockstep.readEnd(String(right.body.id))).toMatchObject({ state: 'done' });
    expect(await holders(accounts, next)).toEqual([true, true]);
  });

  test(
    keeps('a password that Lockstep wrote is recognised as an echo in every source', 14),
    async () => {
      const { person, accounts, of } = await addPerson('directory', 'apps', 'warehouse');
      const word = newPassword();
      await requestChange(person, word);
      for (const account of accounts)
        expect((await capture(account, word)).body).toMatchObject({ result: 'echo' });
      const next = newPassword();
      const { body } = await changeThere(of('directory'), next);
      await suite.lockstep.readEnd(String(body.id));
      expect((await capture(of('warehouse'), next)).body).toMatchObject({ result: 'echo' });
    },
  );

  test(
    keeps('changes to another password and back again in quick succession are all carried out', 13),
    async () => {
      const { person, accounts, of } = await addPerson('directory', 'apps', 'warehouse');
      const [a, b] = [newPassword(), newPassword()];
      await requestChange(person, a);
      for (const word of [b, a, b]) {
        const { status, body } = await changeThere(of('directory'), word);
        expect(status).toBe(202);
        await suite.lockstep.readEnd(String(body.id));
        expect(await holders(accounts, word)).toEqual([true, true, true]);
      }
    },
  );

  test(
    keeps('a capture from before the latest change is stale and changes nothing', 12),
    async () => {
      const { person, accounts, of } = await addPerson('directory', 'apps', 'warehouse');
      const [old, newer] = [newPassword(), newPassword()];
      const capturedAt = new Date().toISOString();
      await of('apps').changeThere(old);
      await requestChange(person, newer);
      const late = await capture(of('apps'), old, { capturedAt, currentPassword: 'any' });
      expect(late.body).toMatchObject({ result: 'stale' });
      expect(await holders(accounts, newer)).toEqual([true, true, true]);
    },
  );

  test(keeps('a capture that is reported twice starts one change', 13), async () => {
    const { accounts, of } = await addPerson('directory', 'apps', 'warehouse');
    const word = newPassword();
    const capturedAt = new Date().toISOString();
    await of('directory').changeThere(word);
    const both = await Promise.all(
      [1, 2].map(() => capture(of('directory'), word, { capturedAt })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 202]);
    expect(both.find(({ status }) => status === 200)?.body).toMatchObject({ result: 'duplicate' });
    await suite.lockstep.readEnd(String(both.find(({ status }) => status === 202)?.body.id));
    expect(await holders(accounts, word)).toEqual([true, true, true]);
  });

  test('an origin that Lockstep has overwritten with an older password is written again', async () => {
    const { person, accounts, of } = await addPerson('directory', 'apps', 'warehouse');
    const [older, newer] = [newPassword(), newPassword()];
    const capturedAt = new Date().toISOString();
    await of('warehouse').changeThere(newer);
    // The older change was accepted before the capture and written after it: its creation is moved back.
    await requestChange(person, older);
    await suite.lockstep.database.db
      .updateTable('change')
      .set({ created_at: new Date(Date.parse(capturedAt) - 1000) })
      .where('identity_name', '=', person)
      .execute();
    expect(await holders(accounts, older)).toEqual([true, true, true]);
    const { body } = await capture(of('warehouse'), newer, { capturedAt });
    expect(await outcomes(body.id)).toEqual([
      ['directory', 'applied', null, 1],
      ['apps', 'applied', null, 1],
      ['warehouse', 'applied', null, 1],
    ]);
    expect(await holders(accounts, newer)).toEqual([true, true, true]);
  });

  test('a change captured in the auth source supersedes an older change that waits', async () => {
    const { person, accounts, of } = await addPerson('directory', 'apps', 'warehouse');
    await suite.takeAway('apps');
    const older = await suite.lockstep.accept({ person, password: newPassword() });
    await suite.lockstep.readUntil(older, ({ state }) => state === 'waiting');
    // The older change was written a while ago, so the capture is trusted without verifying the account.
    await suite.lockstep.database.db
      .updateTable('outcome')
      .set({ updated_at: new Date(Date.now() - 60_000) })
      .where('change_id', '=', older)
      .execute();
    const word = newPassword();
    const { body } = await changeThere(of('directory'), word);
    const id = String(body.id);
    expect(await outcomes(older)).toContainEqual(['apps', 'superseded', null, 1]);
    await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
    await suite.company.proxies.apps.pass();
    await suite.lockstep.command(id, 'retry');
    await suite.lockstep.readEnd(id);
    expect(await holders(accounts, word)).toEqual([true, true, true]);
  });

  test(
    keeps('a waiting account is cancelled when the API key of its change was revoked', 25),
    async () => {
      const { accounts, of } = await addPerson('directory', 'apps', 'warehouse');
      relay = await api.newKey(['capture']);
      await suite.takeAway('apps');
      const word = newPassword();
      const { body } = await changeThere(of('directory'), word);
      const id = String(body.id);
      await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
      await revokeApiKey(suite.lockstep.database.db, `key_${relay.split('_')[1]}`, 'test');
      relay = await api.newKey(['capture']);
      await suite.company.proxies.apps.pass();
      await suite.lockstep.command(id, 'retry');
      expect(await outcomes(id)).toEqual([
        ['directory', 'applied', 'origin', 0],
        ['apps', 'cancelled', 'no_longer_authorized', 1],
        ['warehouse', 'applied', null, 1],
      ]);
      expect(await holders(accounts, word)).toEqual([true, false, true]);
    },
  );

  test('nothing is written when the API key of a change is limited to other groups before the auth account is written', async () => {
    const { person, accounts } = await addPerson('directory', 'apps');
    await suite.takeAway('directory');
    const word = newPassword();
    const id = await suite.lockstep.accept({ person, password: word });
    await suite.lockstep.readUntil(id, ({ accounts: [auth] }) => auth?.state === 'waiting');
    const bind = (groups: string[] | null) =>
      suite.lockstep.database.db
        .updateTable('api_key')
        .set({ groups })
        .where('id', '=', suite.lockstep.apiKey)
        .execute();
    await bind(['others']);
    await suite.company.proxies.directory.pass();
    await suite.lockstep.command(id, 'retry');
    expect(await suite.lockstep.readEnd(id)).toMatchObject({
      state: 'cancelled',
      reason: 'no_longer_authorized',
    });
    await bind(null);
    expect(await holders(accounts, word)).toEqual([false, false]);
  });
});
