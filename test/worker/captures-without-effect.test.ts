import { sql } from 'kysely';
import { register } from 'prom-client';
import { findIdentity } from '../../store/people/identities';
import { linkMapping } from '../../store/people/mappings';
import { registerWorkerMetrics } from '../../worker/metrics';
import type { TestApi } from '../support/api';
import type { CompanyAccount } from '../support/company';
import { holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { companyDocument, entryOf, workerSuite } from '../support/worker-suite';

/** A captured password that no other account got is shown, until a later change makes the accounts equal again. */
describeWith(['slapd', 'postgres', 'temporal'], 'a capture without effect', () => {
  let api: TestApi;
  let relay: string;
  let admin: string;

  const suite = workerSuite((company) => ({
    ...companyDocument(company, {
      apps: { capture: { enabled: true } },
      warehouse: { capture: { enabled: true, verifyCurrent: false } },
    }),
    policies: { everyone: { minLength: 12 } },
    applications: { reports: { source: 'warehouse' } },
  }));
  beforeAll(async () => {
    api = await suite.startApi();
    relay = await api.newKey(['capture']);
    admin = await api.newKey(['admin', 'read', 'trigger']);
    registerWorkerMetrics(suite.lockstep.database.db);
  });
  afterAll(() => register.clear());

  const capture = async ({ source, name }: CompanyAccount, password: string, more: object = {}) =>
    api.send('POST', '/v1/captures', {
      key: relay,
      body: { source, account: name, password, capturedAt: new Date().toISOString(), ...more },
    });
  const read = async (path: string) => (await api.send('GET', path, { key: admin })).body;
  const staleOf = async (person: string) => (await read(`/v1/stale?identity=${person}`)).stale;
  /** The staleness of each account, as the page of the person shows it. */
  const shownOf = async (person: string) => {
    const { accounts } = await read(`/v1/identities/${person}`);
    return Object.fromEntries(
      (accounts as { source: string; stale: { code: string; reason: string } | null }[]).map(
        ({ source, stale }) => [source, stale && [stale.code, stale.reason]],
      ),
    );
  };
  const withoutEffect = async (source: string) => {
    const { sources } = await read('/v1/captures');
    return (sources as { source: string; withoutEffect: unknown }[]).find(
      (one) => one.source === source,
    )?.withoutEffect;
  };
  const gauge = async (labels: string) =>
    (await register.metrics()).includes(`lockstep_captures_without_effect{${labels}} 1`);
  async function personWithPassword() {
    const added = await suite.addPerson('directory', 'apps', 'warehouse');
    const [directory, apps, warehouse] = added.accounts;
    if (!directory || !apps || !warehouse) throw new Error('no accounts');
    const password = newPassword();
    const { person } = added;
    const reply = await api.send('POST', '/v1/changes', {
      key: admin,
      body: { identity: person, password },
    });
    await suite.lockstep.readEnd(String(reply.body.id));
    return { ...added, password, directory, apps, warehouse };
  }

  test('a refused capture that names its account in another spelling shows with that account', async () => {
    const { person, apps } = await personWithPassword();
    const word = newPassword();
    await apps.changeThere(word);
    const respelled = { ...apps, name: apps.name.toUpperCase().replaceAll(',', ' , ') };
    const { body } = await capture(respelled, word);
    expect(body.code).toBe('current_password_missing');
    expect(await staleOf(person)).toMatchObject([
      { source: 'apps', account: apps.name, code: 'capture_without_effect' },
    ]);
  });

  test(
    keeps(
      'a capture that the policy refused shows in stale, in the person, in captures and in the metrics, until the accounts are equal again',
      22,
    ),
    async () => {
      const { person, warehouse, accounts } = await personWithPassword();
      expect(await staleOf(person)).toEqual([]);
      await warehouse.changeThere('short');
      expect((await capture(warehouse, 'short')).status).toBe(422);

      expect(await staleOf(person)).toMatchObject([
        {
          source: 'warehouse',
          code: 'capture_without_effect',
          reason: 'password_against_policy',
          cure: expect.stringContaining('does not satisfy the policy of the group'),
        },
      ]);
      expect(await shownOf(person)).toEqual({
        directory: null,
        apps: null,
        warehouse: ['capture_without_effect', 'password_against_policy'],
      });
      expect(await withoutEffect('warehouse')).toMatchObject([
        { reason: 'password_against_policy', accounts: 1 },
      ]);
      expect(await gauge('source="warehouse",reason="password_against_policy"')).toBe(true);

      const password = newPassword();
      await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password }));
      expect(await holders(accounts, password)).toEqual([true, true, true]);
      expect(await staleOf(person)).toEqual([]);
      expect(await withoutEffect('warehouse')).toEqual([]);
      expect(await gauge('source="warehouse",reason="password_against_policy"')).toBe(false);
    },
  );

  test(
    keeps(
      'a capture whose change the auth account refuses shows with that change and its reason',
      22,
    ),
    async () => {
      const { person, directory, warehouse } = await personWithPassword();
      await suite.rejectPasswords(directory);
      const password = newPassword();
      // A capture right after a write of Lockstep leaves it in doubt which of the two came last.
      await sql`update outcome set updated_at = updated_at - interval '1 minute'
                where change_id in (select id from change where identity_name = ${person})`.execute(
        suite.lockstep.database.db,
      );
      await warehouse.changeThere(password);
      const reply = await capture(warehouse, password);
      const change = await suite.lockstep.readEnd(String(reply.body.id));
      expect(await read(`/v1/changes/${change.id}`)).toMatchObject({
        state: 'refused',
        says: 'the auth account was not changed, so nothing else was attempted; only the account in which the password was changed holds it',
        accounts: [{ holds: 'earlier' }, { holds: 'earlier' }, { holds: 'new' }],
      });
      expect(await staleOf(person)).toMatchObject([
        {
          source: 'warehouse',
          code: 'capture_without_effect',
          reason: 'policy_too_short',
          change: change.id,
        },
      ]);
      expect(await withoutEffect('warehouse')).toMatchObject([{ reason: 'policy_too_short' }]);

      await suite.company.directories.directory.replace(entryOf(directory), 'pwdPolicySubentry');
      const next = newPassword();
      await warehouse.changeThere(next);
      const again = await capture(warehouse, next);
      await suite.lockstep.readEnd(String(again.body.id));
      expect(await staleOf(person)).toEqual([]);
    },
  );

  test('a capture without the current password that its source requires shows as the reason', async () => {
    const { person, apps } = await personWithPassword();
    const password = newPassword();
    await apps.changeThere(password);
    expect((await capture(apps, password)).status).toBe(422);
    expect(await shownOf(person)).toMatchObject({
      apps: ['capture_without_effect', 'current_password_missing'],
    });
  });

  test('a refused capture marks the stored credential of its account, and the changes before, until a later change', async () => {
    const { person, warehouse } = await personWithPassword();
    const { db } = suite.lockstep.database;
    const identity = await findIdentity(db, { name: person });
    const account = identity?.accounts.find(({ source }) => source === 'warehouse');
    if (identity === null || account === undefined) throw new Error('no account');
    const link = { identityId: identity.id, accountId: account.id };
    await linkMapping(db, { ...link, application: 'reports', enabled: true }, 'test');
    const change = async () => {
      const id = await suite.lockstep.accept({ person, password: newPassword() });
      await suite.lockstep.readEnd(id);
      return id;
    };
    const credential = async () => (await read(`/v1/mappings?identity=${person}`)).mappings;
    const id = await change();
    expect(await credential()).toMatchObject([
      { state: 'in_sync', reason: null, storedFrom: 'change_verified' },
    ]);
    await warehouse.changeThere('short');
    expect((await capture(warehouse, 'short')).status).toBe(422);
    expect(await credential()).toMatchObject([{ state: 'out_of_sync', reason: 'capture_refused' }]);
    const { says, accounts } = await read(`/v1/changes/${id}`);
    expect(says).toBe('every account took the new password; 1 changed in the source since');
    expect(accounts).toMatchObject([{ holds: 'new' }, { holds: 'new' }, { holds: 'newer' }]);
    const overview = await read(`/v1/identities/${person}/overview`);
    expect(overview.accounts).toMatchObject([
      { holdsNow: 'newest' },
      { holdsNow: 'newest' },
      { holdsNow: 'changedThere' },
    ]);
    await change();
    expect(await credential()).toMatchObject([{ state: 'in_sync', reason: null }]);
  });

  test('a change that a newer one replaced after the auth account says so', async () => {
    const { person } = await personWithPassword();
    await suite.takeAway('apps');
    const first = await suite.lockstep.accept({ person, password: newPassword() });
    await suite.lockstep.readUntil(first, ({ state }) => state === 'waiting');
    const second = await suite.lockstep.accept({ person, password: newPassword() });
    const replaced = await suite.lockstep.readEnd(first);
    expect(replaced.state).toBe('partial');
    expect(await read(`/v1/changes/${first}`)).toMatchObject({
      headline: 'replaced',
      says: expect.stringMatching(
        /^a newer password has replaced this one, .* written by a newer change since$/,
      ),
    });
    await suite.company.proxies.apps.pass();
    await suite.lockstep.forgetTroubles();
    await suite.lockstep.command(second, 'retry');
    await suite.lockstep.readEnd(second);
  });

  test('a capture that reports nothing new leaves no account stale', async () => {
    const { person, password, warehouse } = await personWithPassword();
    expect((await capture(warehouse, password)).body).toMatchObject({ result: 'echo' });
    const early = new Date(Date.now() - 60_000).toISOString();
    const late = await capture(warehouse, newPassword(), { capturedAt: early });
    expect(late.body).toMatchObject({ result: 'stale' });
    expect(await staleOf(person)).toEqual([]);
  });

  test('a capture that is refused for its age before a later write leaves no account stale', async () => {
    const { person, warehouse } = await personWithPassword();
    const old = new Date(Date.now() - 100 * 3_600_000).toISOString();
    expect((await capture(warehouse, newPassword(), { capturedAt: old })).body).toMatchObject({
      result: 'expired',
    });
    expect(await staleOf(person)).toEqual([]);
  });
});
