import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { applyConfiguration } from '../../store/configuration/versions';
import { startTestApi, type TestApi } from '../support/api';
import { testConfiguration } from '../support/played-worker';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';

/** The spellings of a distinguished name that a directory takes for one entry. */
describeWith(['postgres'], 'accounts in other spellings', () => {
  let api: TestApi;
  const dn = (uid: string) => `uid=${uid},ou=people,dc=example,dc=com`;
  const respelled = (uid: string) => [
    `uid=${uid}, ou=people, dc=example, dc=com`,
    `UID=${uid.toUpperCase()},OU=People,DC=Example,DC=COM`,
    `uid=\\${uid.charCodeAt(0).toString(16)}${uid.slice(1)},ou=people,dc=example,dc=com`,
  ];
  const settings = {
    url: 'ldaps://127.0.0.1:1',
    bindDn: 'cn=lockstep,ou=services,dc=example,dc=com',
    bindPassword: '${env:TEST_LDAP}',
    base: 'ou=people,dc=example,dc=com',
  };
  const sql = {
    ...{ host: 'localhost', port: 5432, database: 'db', user: 'lockstep_roles' },
    password: '${env:TEST_SQL}',
  };
  const configurationWith = (more: object) =>
    configurationSchema.parse({
      ...testConfiguration,
      sources: {
        ...Object.fromEntries(
          Object.keys(testConfiguration.sources).map((name) => [name, { kind: 'ldap', settings }]),
        ),
        warehouse: { kind: 'postgres-role', settings: sql },
        crm: {
          kind: 'sql-column',
          settings: {
            ...{ ...sql, engine: 'postgres', user: 'crm_login', scheme: 'ssha512' },
            ...{ table: 'staff', keyColumn: 'login', passwordColumn: 'hash' },
          },
        },
        ledger: {
          kind: 'ldap',
          settings: { ...settings, bindDn: 'uid=ledger,ou=people,dc=example,dc=com' },
        },
        directory: {
          kind: 'ldap',
          settings: { ...settings, ...more },
          capture: { enabled: true, verifyCurrent: false },
        },
      },
      applications: { reports: { source: 'directory' } },
    });
  const put = (name: string, accounts: readonly object[], more: object = {}) =>
    api.send('PUT', `/v1/identities/${name}`, {
      body: { accounts: accounts.map((one) => ({ source: 'directory', ...one })), ...more },
    });
  const accountsOf = async (name: string) =>
    (await api.send('GET', `/v1/identities/${name}`)).body.accounts;

  beforeAll(async () => {
    api = await startTestApi();
    const configuration = configurationWith({});
    await applyConfiguration(api.database.db, configuration, 0, 'test', accountRulesOf);
  });
  afterAll(() => api.stop());

  test(
    keeps('an account that is linked is not linked to a second person in another spelling', 6),
    async () => {
      await put('zed', [{ name: dn('zed') }]);
      for (const name of respelled('zed')) {
        const reply = await put('second', [{ name }]);
        expect(reply.status).toBe(409);
        expect(reply.body).toMatchObject({
          code: 'account_linked',
          issues: [
            { path: ['accounts', 0], says: `is linked to another person, zed, as "${dn('zed')}"` },
          ],
        });
      }
      expect((await api.send('GET', '/v1/identities/second')).status).toBe(404);
    },
  );

  test('an account that is linked again to its person in another spelling stays one account', async () => {
    await put('ann', [{ name: dn('ann'), primary: true }]);
    for (const name of respelled('ann')) expect((await put('ann', [{ name }])).status).toBe(200);
    expect(await accountsOf('ann')).toMatchObject([{ name: dn('ann'), primary: true }]);
  });

  test(
    keeps('an account with an id is not linked to a second person under another name', 6),
    async () => {
      const nativeId = '6d3a2c1e-0000-4000-8000-000000000001';
      await put('ida', [{ name: dn('ida'), nativeId }]);
      const reply = await put('other', [{ name: dn('ida-renamed'), nativeId }]);
      expect(reply.body).toMatchObject({
        issues: [{ says: `is linked to another person, ida, as "${dn('ida')}"` }],
      });
      await put('ida', [{ name: dn('ida-renamed'), nativeId }]);
      expect(await accountsOf('ida')).toMatchObject([{ name: dn('ida-renamed'), nativeId }]);
    },
  );

  test('linking an account again keeps its id, unless the id is known to be outdated', async () => {
    const nativeId = '6d3a2c1e-0000-4000-8000-000000000002';
    await put('kay', [{ name: dn('kay'), nativeId }]);
    await put('kay', [{ name: dn('kay') }]);
    expect(await accountsOf('kay')).toMatchObject([{ nativeId, problem: null }]);
    await api.database.db
      .updateTable('account')
      .set({ problem: 'account_replaced' })
      .where('native_id', '=', nativeId)
      .execute();
    expect(await accountsOf('kay')).toMatchObject([{ problem: 'account_replaced' }]);
    await put('kay', [{ name: dn('kay') }]);
    expect(await accountsOf('kay')).toMatchObject([{ nativeId: null, problem: null }]);
    const rows = await api.database.db
      .selectFrom('account')
      .select('id_learnt')
      .where('name', '=', dn('kay'))
      .execute();
    expect(rows).toEqual([{ id_learnt: false }]);
  });

  test(
    keeps('the account with which Lockstep signs in is not linked, in any spelling', 6),
    async () => {
      for (const name of [settings.bindDn, settings.bindDn.toUpperCase()]) {
        const reply = await put('thief', [{ name }]);
        expect(reply.status).toBe(422);
        expect(reply.body).toMatchObject({
          code: 'service_account',
          issues: [{ says: expect.stringContaining('an account with which Lockstep signs in') }],
        });
      }
    },
  );

  test(
    keeps('the account with which Lockstep signs in to another source is not linked either', 6),
    async () => {
      const refused = { status: 422, body: { code: 'service_account' } };
      const ledger = dn('ledger').toUpperCase();
      expect(await put('thief', [{ name: ledger }])).toMatchObject(refused);
      for (const name of ['lockstep_roles', 'crm_login'])
        expect(await put('thief', [{ source: 'warehouse', name }])).toMatchObject(refused);
      // A row of the table is no role, so it may have this name.
      expect((await put('row', [{ source: 'crm', name: 'crm_login' }])).status).toBe(200);
    },
  );

  test('a mapping, a change and an unlink name an account in any spelling', async () => {
    const [spaced = '', upper = ''] = respelled('max');
    const mappings = [{ application: 'reports', account: upper }];
    const reply = await put('max', [{ name: dn('max') }], { mappings });
    expect(reply.body).toMatchObject({ mappings: [{ account: dn('max') }] });
    const plan = await api.send('POST', '/v1/changes/plan', {
      body: { account: { source: 'directory', name: spaced } },
    });
    expect(plan.body).toMatchObject({ identity: 'max' });
    const query = new URLSearchParams({ source: 'directory', name: upper });
    const unlinked = await api.send('DELETE', `/v1/identities/max/accounts?${query}`);
    expect(unlinked.status).toBe(204);
    expect(await accountsOf('max')).toEqual([]);
  });

  test(
    keeps('a capture that names the account in another spelling starts a change', 6, 7),
    async () => {
      const key = await api.newKey(['capture']);
      const capturing = (name: string, account: string) =>
        api.send('POST', '/v1/captures', {
          key,
          body: {
            source: 'directory',
            account,
            password: `a new password of ${name}`,
            capturedAt: new Date().toISOString(),
          },
        });
      for (const [index, account] of respelled('eve').entries()) {
        await put('eve', [{ name: dn('eve') }]);
        const reply = await capturing(`eve ${index}`, account);
        expect([reply.status, reply.body.identity]).toEqual([202, 'eve']);
      }
      await api.database.db
        .updateTable('account')
        .set({ problem: 'account_replaced' })
        .where('name', '=', dn('eve'))
        .execute();
      const replaced = await capturing('another', dn('eve'));
      expect(replaced.body).toMatchObject({ result: 'unmapped' });
    },
  );

  test('a configuration under which two linked accounts would be one is refused with their names', async () => {
    const { db } = api.database;
    const current = await api.send('GET', '/v1/configuration');
    const exact = configurationWith({ exactNamingAttributes: ['uid'] });
    const version = Number(current.body.version);
    await applyConfiguration(db, exact, version, 'test', accountRulesOf);
    await put('lower', [{ name: dn('twin') }]);
    expect((await put('upper', [{ name: dn('TWIN') }])).status).toBe(200);
    const document = configurationWith({});
    for (const [path, body] of [
      ['plan', { document }],
      ['apply', { document, version: version + 1 }],
    ] as const) {
      const reply = await api.send('POST', `/v1/configuration/${path}`, { body });
      expect(reply.status).toBe(422);
      expect(reply.body).toMatchObject({
        issues: [
          {
            path: ['sources', 'directory'],
            says: expect.stringMatching(/"uid=twin,.*" of lower and "uid=TWIN,.*" of upper/),
          },
        ],
      });
    }
    const query = new URLSearchParams({ source: 'directory', name: dn('TWIN') });
    await api.send('DELETE', `/v1/identities/upper/accounts?${query}`);
    const applied = await applyConfiguration(db, document, version + 1, 'test', accountRulesOf);
    expect(applied).toBe(version + 2);
    expect((await put('upper', [{ name: dn('TWIN') }])).status).toBe(409);
  });
});
