import { findIdentity } from '../../store/people/identities';
import type { TestApi } from '../support/api';
import type { CompanyAccount } from '../support/company';
import { newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import { until } from '../support/until';
import { companyDocument, workerSuite } from '../support/worker-suite';

/** What Lockstep does with a link once its source shows, or may show, another account under the name of the linked one. */
describeWith(['slapd', 'postgres', 'temporal'], 'a link that no longer means its account', () => {
  const suite = workerSuite((company) =>
    companyDocument(company, {
      apps: { capture: { enabled: true, verifyCurrent: false } },
      directory: { capture: { enabled: true } },
    }),
  );
  let api: TestApi;
  let admin: string;
  let agent: string;
  beforeAll(async () => {
    api = await suite.startApi();
    admin = await api.newKey(['admin', 'read', 'trigger']);
    agent = await api.newKey(['capture']);
  });

  const apps = () => suite.company.directories.apps;
  const directory = () => suite.company.directories.directory;
  const get = async (path: string) => (await api.send('GET', path, { key: admin })).body;
  const plan = async (person: string) =>
    (await api.send('POST', '/v1/changes/plan', { key: admin, body: { identity: person } })).body;
  const warningsOf = async (person: string, source: string) =>
    ((await plan(person)).accounts as { source: string; warnings: string[] }[])
      .filter((account) => account.source === source)
      .flatMap(({ warnings }) => warnings);
  const staleOf = async (person: string) => (await get(`/v1/stale?identity=${person}`)).stale;
  const linkIn = async (person: string, source: string) =>
    (await findIdentity(suite.lockstep.database.db, { name: person }))?.accounts.find(
      (account) => account.source === source,
    );
  async function refresh(source: string): Promise<void> {
    const { body } = await api.send('POST', `/v1/sources/${source}/refresh`, {
      key: admin,
      body: {},
    });
    await until(async () => (await get(`/v1/jobs/${body.job}`)).state === 'done');
  }
  const report = async ({ source, name }: CompanyAccount, password: string) => {
    const capturedAt = new Date().toISOString();
    const { body } = await api.send('POST', '/v1/captures', {
      key: agent,
      body: { source, account: name, password, capturedAt },
    });
    return String(body.id);
  };
  const capture = async (account: CompanyAccount, password: string) =>
    suite.lockstep.readEnd(await report(account, password));
  /** A person whose accounts hold a password that Lockstep wrote. */
  async function personWithPassword() {
    const { person, accounts } = await suite.addPerson('directory', 'apps');
    const [auth, member] = accounts;
    if (auth === undefined || member === undefined) throw new Error('no accounts');
    const password = newPassword();
    await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password }));
    return { person, password, auth, member };
  }
  /** Renames an account, and gives its former name to an account of another person. */
  async function replace(account: CompanyAccount): Promise<string> {
    const renamed = account.name.replace('uid=', 'uid=renamed-');
    const at = account.source === 'apps' ? apps() : directory();
    await at.client.modifyDN(account.name, renamed);
    const other = await suite.company.addAccount(account.source as 'apps' | 'directory');
    await at.client.modifyDN(other.name, account.name);
    return renamed;
  }

  test('a dry run, stale and the person show an account that was created again, which a refresh has found', async () => {
    const { person, member } = await personWithPassword();
    expect(await warningsOf(person, 'apps')).toEqual([]);
    await apps().client.del(member.name);
    const other = await suite.company.addAccount('apps');
    await apps().client.modifyDN(other.name, member.name);
    await refresh('apps');
    expect(await warningsOf(person, 'apps')).toEqual([
      expect.stringMatching(/^The account in "apps" gets no password .* its id differs/),
    ]);
    expect(await staleOf(person)).toMatchObject([
      { source: 'apps', code: 'link_problem', reason: 'account_replaced' },
    ]);
    expect((await get(`/v1/identities/${person}`)).accounts).toMatchObject([
      { problem: null, stale: null },
      { problem: 'account_replaced', stale: { code: 'link_problem' } },
    ]);
  });

  test('a dry run and stale show an account that has vanished, until the source shows it again', async () => {
    const { person, member } = await personWithPassword();
    const hidden = member.name.replace('ou=people', 'ou=services');
    await apps().client.modifyDN(member.name, hidden);
    await refresh('apps');
    expect(await linkIn(person, 'apps')).toMatchObject({ problem: 'no_account' });
    expect(await warningsOf(person, 'apps')).toEqual([expect.stringMatching(/no longer exists/)]);
    expect(await staleOf(person)).toMatchObject([
      { code: 'link_problem', reason: 'no_account', since: expect.stringMatching(/^20/) },
    ]);
    await apps().client.modifyDN(hidden, member.name);
    await refresh('apps');
    expect(await warningsOf(person, 'apps')).toEqual([]);
    expect(await staleOf(person)).toEqual([]);
  });

  test('a change that finds an account missing is remembered with the link, and one that writes it again ends that', async () => {
    const { person, member } = await personWithPassword();
    const hidden = member.name.replace('ou=people', 'ou=services');
    await apps().client.modifyDN(member.name, hidden);
    const change = async () =>
      suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: newPassword() }));
    expect((await change()).accounts[1]).toMatchObject({ reason: 'no_account' });
    expect(await warningsOf(person, 'apps')).toHaveLength(1);
    await apps().client.modifyDN(hidden, member.name);
    expect((await change()).state).toBe('done');
    expect(await warningsOf(person, 'apps')).toEqual([]);
  });

  test('a dry run warns about a link to the account with which Lockstep signs in, and about a second link', async () => {
    const { person } = await personWithPassword();
    const { db } = suite.lockstep.database;
    const name = `cn=lockstep,ou=services,${suffixes.free}`;
    const link = await linkIn(person, 'apps');
    const set = (values: object) =>
      db.updateTable('account').set(values).where('id', '=', String(link?.id)).execute();
    await set({ problem: 'linked_twice' });
    expect(await warningsOf(person, 'apps')).toEqual([expect.stringMatching(/Another link/)]);
    expect(await staleOf(person)).toMatchObject([{ reason: 'linked_twice' }]);
    await set({ problem: null, name, name_key: `${name}-${person}` });
    expect(await warningsOf(person, 'apps')).toEqual([
      expect.stringMatching(/with which Lockstep signs in/),
    ]);
  });

  test(
    keeps('a capture of an account that took the name of a linked one reaches no other account', 6),
    async () => {
      const { person, password, auth, member } = await personWithPassword();
      const renamed = await replace(member);
      const word = newPassword();
      await member.changeThere(word);
      const change = await capture(member, word);
      expect(change).toMatchObject({ state: 'refused', reason: 'capture_of_another_account' });
      expect(change.accounts.map(({ state }) => state)).toEqual(['rejected', 'not_attempted']);
      expect([await auth.logsIn(word), await auth.logsIn(password)]).toEqual([false, true]);
      // The link follows the account of the person, which holds what Lockstep wrote last.
      expect(await linkIn(person, 'apps')).toMatchObject({ name: renamed, problem: null });
      expect(await staleOf(person)).toEqual([]);
    },
  );

  test(
    keeps('a capture in an auth account that was replaced reaches no other account', 6),
    async () => {
      const { person, password, auth, member } = await personWithPassword();
      await directory().client.del(auth.name);
      const other = await suite.company.addAccount('directory');
      await directory().client.modifyDN(other.name, auth.name);
      const word = newPassword();
      const change = await capture(auth, word);
      expect(change).toMatchObject({ state: 'refused', reason: 'capture_of_another_account' });
      expect([await member.logsIn(word), await member.logsIn(password)]).toEqual([false, true]);
      expect(await linkIn(person, 'directory')).toMatchObject({ problem: 'account_replaced' });
      const { db } = suite.lockstep.database;
      const id = String((await linkIn(person, 'directory'))?.id);
      const stored = await db
        .selectFrom('account')
        .select(['applied_seq', 'claimed_seq'])
        .where('id', '=', id)
        .executeTakeFirst();
      expect(stored).toEqual({ applied_seq: 1, claimed_seq: 1 });
    },
  );

  test('a capture of an account that was renamed since is carried out while no other account has its former name', async () => {
    const { auth, member } = await personWithPassword();
    const word = newPassword();
    await member.changeThere(word);
    await apps().client.modifyDN(member.name, member.name.replace('uid=', 'uid=renamed-'));
    expect((await capture(member, word)).state).toBe('done');
    expect(await auth.logsIn(word)).toBe(true);
  });

  test('a capture does not wait for a source that is unreachable, but is refused if the account was missing before', async () => {
    const { auth, member } = await personWithPassword();
    const word = newPassword();
    await member.changeThere(word);
    await suite.takeAway('apps');
    await report(member, word);
    await until(() => auth.logsIn(word));
    await suite.lockstep.database.db
      .updateTable('account')
      .set({ problem: 'no_account' })
      .where('name', '=', member.name)
      .execute();
    const next = await capture(member, newPassword());
    expect(next).toMatchObject({ state: 'refused', reason: 'capture_of_another_account' });
    expect(await auth.logsIn(word)).toBe(true);
  });
});
