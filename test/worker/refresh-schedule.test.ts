import { sql } from 'kysely';
import type { Dependencies } from '../../activities/dependencies';
import type { Connector } from '../../connectors/contract';
import { accountRulesOf } from '../../connectors/registry';
import { ssha } from '../../local/slapd';
import { configurationSchema } from '../../model/configuration/document';
import { Secret } from '../../model/passwords/secret';
import { applyConfiguration, currentConfiguration } from '../../store/configuration/versions';
import { watchConfiguration } from '../../store/configuration/watch';
import { findIdentity, saveIdentity } from '../../store/people/identities';
import { pauseSource, reopenSource } from '../../store/sources/state';
import { startJobs } from '../../worker/jobs/jobs';
import { requestScheduledRefreshes } from '../../worker/jobs/refresh-schedule';
import {
  type DirectoryAdmin,
  directoryAdmin,
  entryUuidOf,
  personAttributes,
  uniqueName,
} from '../connectors/directory-admin';
import { ldapSubject } from '../connectors/ldap-subject';
import { openSubject } from '../connectors/open-subject';
import { auditChainOf } from '../support/audit-chain';
import { type TestDatabase, testDatabase } from '../support/database';
import { describeWith } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import { until } from '../support/until';

describeWith(['slapd', 'postgres'], 'joiners, movers and leavers of a directory', () => {
  const subject = ldapSubject({ title: 'schedule', suffix: suffixes.free, changes: {} });
  let database: TestDatabase;
  let admin: DirectoryAdmin;
  let connector: Connector;
  let workers: { stop(): Promise<void> }[];
  let name: string;
  let base: string;

  /** Two workers share the jobs of a database. */
  beforeAll(async () => {
    database = await testDatabase();
    const deps = {
      db: database.db,
      configuration: watchConfiguration(database.db),
      connector: async () => connector,
      accountRules: accountRulesOf,
      random: () => 0,
    } as unknown as Dependencies;
    workers = await Promise.all(
      [deps, deps].map((of) =>
        startJobs(
          of,
          { audit: auditChainOf(database.db), candidate: async () => connector },
          database.url,
        ),
      ),
    );
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await database.close();
  });
  /** Each test has a source of its own, with the people of a folder of its own. */
  beforeEach(async () => {
    name = uniqueName('directory-');
    base = `ou=${uniqueName('staff')},ou=people,${suffixes.free}`;
    admin = await directoryAdmin({
      ...{ server: 'slapd', bindDn: `cn=admin,${suffixes.free}`, people: base, rdn: 'uid' },
      attributesOf: (uid, password) => ({
        ...personAttributes(uid, ssha(Secret.fromText(password))),
        mail: `${uid}@corp.example`,
      }),
      nativeIdOf: entryUuidOf,
    });
    await admin.client.add(base, { objectClass: 'organizationalUnit' });
    connector = await openSubject(subject, { base });
  });
  afterEach(async () => {
    await finished();
    await connector.close();
    await admin.close();
  });

  const source = (more: object = {}) => ({
    kind: 'ldap',
    settings: { ...subject.settings(subject.server), base },
    policy: 'staff',
    createIdentities: { name: 'uid', attributes: { mail: 'mail', display: 'cn' } },
    ...more,
  });
  async function configure(more: object = {}, others: object = {}): Promise<void> {
    const { version } = await currentConfiguration(database.db);
    const document = configurationSchema.parse({
      version: 1,
      policies: { staff: { preset: 'nist-63b-4' } },
      sources: { [name]: source(more), ...others },
    });
    await applyConfiguration(database.db, document, version, 'test', accountRulesOf);
  }
  const schedule = () =>
    requestScheduledRefreshes({
      db: database.db,
      configuration: watchConfiguration(database.db),
    });
  const refreshes = () =>
    database.db
      .selectFrom('job')
      .select(['state', 'result', 'requested_by'])
      .where('source', '=', name)
      .orderBy('created_at')
      .execute();
  const finished = () =>
    until(async () => (await refreshes()).every(({ state }) => state !== 'open'));
  /** Lets the schedule make a refresh due, by moving the last one into the past, and waits for its result. */
  async function refreshed(): Promise<Record<string, unknown>> {
    await later(2);
    await schedule();
    await finished();
    return (await refreshes()).at(-1)?.result as Record<string, unknown>;
  }
  /** Moves everything that Lockstep remembers of refreshes this many hours into the past. */
  async function later(hours: number): Promise<void> {
    const by = sql`make_interval(hours => ${hours})`;
    await sql`
      update job set created_at = created_at - ${by}, finished_at = finished_at - ${by}
      where source = ${name}`.execute(database.db);
    await sql`
      update account set missing_since = missing_since - ${by} where source = ${name}`.execute(
      database.db,
    );
  }
  const person = (who: string) => findIdentity(database.db, { name: who });
  const audited = async (action: string) =>
    (
      await sql`select from audit where action = ${action} and detail ->> 'source' = ${name}`.execute(
        database.db,
      )
    ).rows.length;
  const noticed = async () =>
    (
      await database.db
        .selectFrom('notice')
        .select('kind')
        .where('subject', '=', name)
        .orderBy('number')
        .execute()
    ).map(({ kind }) => kind);
  const addAccounts = (count: number) =>
    Promise.all(Array.from({ length: count }, () => admin.addAccount()));

  test('a schedule refreshes a source once when it is due, whatever the number of workers', async () => {
    await configure({ refresh: { everyHours: 1 } });
    const account = await admin.addAccount();
    await Promise.all([schedule(), schedule(), schedule()]);
    await finished();
    await schedule();
    expect(await refreshes()).toMatchObject([
      { state: 'done', requested_by: 'worker', result: { peopleAdded: 1 } },
    ]);
    expect((await person(account.key))?.attributes).toMatchObject({
      mail: `${account.key}@corp.example`,
    });
    await later(1);
    await schedule();
    expect(await refreshes()).toHaveLength(2);
  });

  test('a schedule leaves a paused source alone until an operator resumes it', async () => {
    await configure({ refresh: { at: '00:00' } });
    await pauseSource(database.db, name, 'source_paused', 'test');
    await schedule();
    expect(await refreshes()).toEqual([]);
    await reopenSource(database.db, name, 'paused', 'test');
    await schedule();
    expect(await refreshes()).toHaveLength(1);
  });

  test('attributes follow the account for which the person was added, and a hidden value is kept', async () => {
    await configure({ refresh: { everyHours: 1 } });
    const account = await admin.addAccount();
    await refreshed();
    await admin.replace(account, 'mail', 'new@corp.example', 'other@corp.example');
    await admin.replace(account, 'cn', 'New Name');
    expect(await refreshed()).toMatchObject({ peopleUpdated: 1 });
    const after = { mail: 'new@corp.example', display: 'New Name' };
    expect((await person(account.key))?.attributes).toEqual(after);
    await admin.replace(account, 'mail');
    expect(await refreshed()).toMatchObject({ peopleUpdated: 0 });
    expect((await person(account.key))?.attributes).toEqual(after);
    expect(await audited('identity.updated')).toBe(1);
  });

  test('another source that adds people does not change the attributes of a person who came from elsewhere', async () => {
    await configure(
      { refresh: { everyHours: 1 }, correlate: [{ uid: 'name' }] },
      {
        first: source(),
      },
    );
    const account = await admin.addAccount();
    const mine = { name: account.key, attributes: { mail: 'first@corp.example' } };
    const link = { source: 'first', name: 'elsewhere', nativeId: null, primary: true };
    await saveIdentity(database.db, mine, [link], 'operator', 'test', () =>
      accountRulesOf(undefined),
    );
    expect(await refreshed()).toMatchObject({ linked: 1, peopleAdded: 0 });
    expect(await refreshed()).toMatchObject({ alreadyLinked: 1, peopleUpdated: 0 });
    expect((await person(account.key))?.attributes).toEqual(mine.attributes);
  });

  test('an account that is missing in complete lists is unlinked after the grace period, and reported each time', async () => {
    await configure({ refresh: { everyHours: 1 }, leavers: { unlinkAfterDays: 2 } });
    const [leaver, stays] = await addAccounts(2);
    if (leaver === undefined || stays === undefined) throw new Error('no accounts');
    await refreshed();
    await admin.client.del(leaver.ref.name);
    expect(await refreshed()).toMatchObject({
      ...{ suspicious: false, unlinked: { count: 0 } },
      leavers: { count: 1, first: [leaver.key] },
    });
    expect((await person(leaver.key))?.accounts).toMatchObject([{ problem: 'no_account' }]);
    expect(await noticed()).toEqual(['accounts_missing']);
    await later(49);
    expect(await refreshed()).toMatchObject({ unlinked: { count: 1, first: [leaver.ref.name] } });
    expect((await person(leaver.key))?.accounts).toEqual([]);
    expect((await person(stays.key))?.accounts).toHaveLength(1);
    expect([await audited('account.missing'), await audited('account.unlinked')]).toEqual([1, 1]);
    expect(await noticed()).toEqual(['accounts_missing', 'accounts_unlinked']);
  });

  test('an account that is listed again in the grace period stays linked, and its time starts again later', async () => {
    await configure({ refresh: { everyHours: 1 }, leavers: { unlinkAfterDays: 2 } });
    const [account] = await addAccounts(2);
    if (account === undefined) throw new Error('no account');
    await refreshed();
    const hidden = account.ref.name.replace(base, `ou=services,${suffixes.free}`);
    await admin.client.modifyDN(account.ref.name, hidden);
    await refreshed();
    await later(40);
    await admin.client.modifyDN(hidden, account.ref.name);
    await refreshed();
    await admin.client.modifyDN(account.ref.name, hidden);
    await later(40);
    expect(await refreshed()).toMatchObject({ unlinked: { count: 0 } });
    expect((await person(account.key))?.accounts).toHaveLength(1);
    expect(await noticed()).toEqual(['accounts_missing', 'accounts_returned', 'accounts_missing']);
    expect(await audited('account.returned')).toBe(1);
    await admin.client.del(hidden);
  });

  test('a list that lost more accounts than the limit, or is empty, unlinks nothing however often it comes', async () => {
    await configure({
      refresh: { everyHours: 1 },
      leavers: { unlinkAfterDays: 1, maxLostPercent: 33 },
    });
    const accounts = await addAccounts(3);
    await refreshed();
    for (const { ref } of accounts.slice(0, 2)) await admin.client.del(ref.name);
    for (let day = 0; day < 3; day++) {
      expect(await refreshed()).toMatchObject({
        ...{ suspicious: true, unlinked: { count: 0 }, leavers: { count: 0 } },
        reports: [{ code: 'vanished', count: 2 }],
      });
      await later(30);
    }
    await admin.client.del(accounts[2]?.ref.name ?? '');
    await configure({
      refresh: { everyHours: 1 },
      leavers: { unlinkAfterDays: 1, maxLostPercent: 100 },
    });
    expect(await refreshed()).toMatchObject({ read: 0, suspicious: true, unlinked: { count: 0 } });
    expect(
      await Promise.all(accounts.map(async ({ key }) => (await person(key))?.accounts)),
    ).toEqual(accounts.map(() => [expect.objectContaining({ problem: null })]));
    expect(await audited('account.missing')).toBe(0);
    expect(await noticed()).toEqual(['list_suspicious']);
  });
});
