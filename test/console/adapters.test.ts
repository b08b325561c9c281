import { sql } from 'kysely';
import type { Browser } from 'playwright-core';
import type { Scope } from '../../model/api/scopes';
import { reportPresence } from '../../store/presence';
import { type PlayedAdapter, playAdapter } from '../support/adapters';
import { startTestApi, type TestApi } from '../support/api';
import { complaintsOf, describeInBrowser, startBrowser, violationsOf } from '../support/browser';
import { newPassword } from '../support/people';
import { planned } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { newVisitor, type Visitor } from '../support/visitor';

const source = (name: string, more: object = {}) => ({
  kind: 'postgres-role',
  settings: {
    host: `${name}.example.com`,
    user: 'lockstep',
    password: `\${file:/run/secrets/${name}}`,
    database: 'postgres',
  },
  ...more,
});
const document = {
  version: 1,
  sources: {
    corp: source('corp'),
    apps: source('apps'),
    warehouse: source('warehouse', {
      adapter: { adapterGroup: 'hosts', applications: ['reports'], syncFromAdapter: true },
    }),
    legacy: {
      kind: 'pull',
      settings: { maxPending: 4 },
      adapter: {
        ...{ enabled: true, applications: ['mainframe'], syncToAdapter: true },
        adapterGroup: 'hosts',
      },
    },
  },
  policies: { everyone: {} },
  groups: {
    all: {
      policy: 'everyone',
      authSource: 'corp',
      sources: ['corp', 'apps', 'warehouse', 'legacy'],
    },
  },
  applications: {
    reports: { source: 'warehouse', label: 'Monthly reports' },
    mainframe: { source: 'legacy' },
  },
  sso: { switches: { windowsToAdapters: true } },
};

/** The pages about adapters of single sign-on. The test plays the adapter, and the worker. */
describeWith(['postgres'], 'the pages about adapters', () => {
  let api: TestApi;
  let adapter: PlayedAdapter;

  beforeAll(async () => {
    api = await startTestApi();
    adapter = await playAdapter(api, 'legacy');
  });
  afterAll(() => api.stop());
  beforeEach(async () => {
    const { version } = (await api.send('GET', '/v1/configuration')).body;
    const body = { document, version };
    expect((await api.send('POST', '/v1/configuration/apply', { body })).status).toBe(200);
  });

  async function signIn(...scopes: Scope[]): Promise<Visitor> {
    const visitor = newVisitor();
    const key = await api.newKey(scopes);
    await visitor.send(`${api.url}/console/sign-in`, { key });
    return visitor;
  }
  const at = (path: string) => api.url + path;
  const read = (visitor: Visitor, path = '/console/adapters') => visitor.visit(at(path));
  const edit = (visitor: Visitor, fields: Record<string, string>) =>
    visitor.send(at('/console/edit'), fields);

  /** The fields that the preview sends again to apply the edit. */
  const fieldsOf = (text: string): Record<string, string> =>
    Object.fromEntries(
      [...text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)].map(
        ([, name = '', value = '']) => [name, value],
      ),
    );
  async function applied(visitor: Visitor, fields: Record<string, string>) {
    const preview = await edit(visitor, fields);
    expect(preview.status).toBe(200);
    const done = await edit(visitor, { ...fieldsOf(preview.text), do: 'apply' });
    expect(done.text).toContain('The configuration is in force.');
    return preview.text;
  }
  const adapterInForce = async (source: string) => {
    const { body } = await api.send('GET', '/v1/configuration');
    return (body.configuration as { sources: Record<string, { adapter?: object }> }).sources[source]
      ?.adapter;
  };

  let people = 0;
  /** A person with an account in the directory and one that the played adapter serves. */
  async function addMapped() {
    const person = `user${++people}`;
    const accounts = ['corp', 'legacy'].map((name) => ({ source: name, name: person }));
    const body = { accounts, mappings: [{ application: 'mainframe', account: person }] };
    expect((await api.send('PUT', `/v1/identities/${person}`, { body })).status).toBe(200);
    return { person, account: person };
  }

  /** A change of the person, with a message that the adapter has received. */
  async function deliver(person: string) {
    const { db } = api.database;
    const body = { identity: person, password: newPassword() };
    const changeId = String((await api.send('POST', '/v1/changes', { body })).body.id);
    await planned(db, changeId, person, ['corp', 'legacy']);
    await sql`
      insert into adapter_message (id, source, change_id, label, account_id, seq, key_id, most_deliveries,
                                   lease_seconds, deliveries, expires_at)
      select ${`msg_of_${person}`}, 'legacy', c.id, 'legacy', a.id, c.seq, 'none', 6, 60, 1, c.expires_at
      from change c join account a on a.identity_id = c.identity_id and a.source = 'legacy'
      where c.id = ${changeId}`.execute(db);
    return `msg_of_${person}`;
  }

  test('an administrator sees what each adapter synchronizes, and what keeps it from that', async () => {
    await addMapped();
    const visitor = await signIn('admin');
    const { text } = await read(visitor);
    expect(text).toContain('The adapter is disabled.');
    expect(text).toContain('It has never connected.');
    expect(text).toContain('legacy is offline. Start the program of the adapter.');
    const one = (await read(visitor, '/console/adapters/warehouse')).text;
    for (const says of [
      'The adapter is disabled.',
      'The applications of the adapter have no enabled mapping.',
      'The flag syncToAdapter of the adapter is off.',
      'The flag changeWindowsPassword of the adapter is off.',
      'The switch adaptersToWindows is off for every adapter.',
    ])
      expect(one).toContain(says);
    expect(one).toContain('href="/console/applications?application=reports"');
    const applications = (await read(visitor, '/console/applications')).text;
    expect(applications).toContain('href="/console/adapters/warehouse"');
    const { body } = await api.send('GET', '/v1/adapters');
    expect(body.adapters).toMatchObject([
      { source: 'legacy', directions: [{ obstacles: [] }, {}, {}], connection: null },
      { source: 'warehouse', enabled: false, properties: null, warnings: [] },
    ]);
  });

  test('an adapter is online since it connected, and its messages are listed with their results', async () => {
    const visitor = await signIn('admin');
    await adapter.call('initialise');
    await adapter.call('receive', { waitSeconds: 0 });
    const id = await deliver((await addMapped()).person);
    const open = (await read(visitor, '/console/adapters/legacy')).text;
    for (const says of ['1 of 4 messages unacknowledged', 'It last asked for messages', id])
      expect(open).toContain(says);
    expect(open).toContain('adapter of legacy, last used');
    expect((await read(visitor)).text).not.toContain('is offline');
    const reason = { reason: 'policy_history', code: 'ICH408I' };
    await adapter.complete(id, 'rejected', reason);
    const ended = (await read(visitor, '/console/adapters/legacy')).text;
    expect(ended).toContain('Of the last day: 1 rejected.');
    expect(ended).toContain('code ICH408I');
    await adapter.call('status', { status: 'offline' });
    expect((await read(visitor)).text).toContain('legacy is offline.');
  });

  test('an edit is shown first, names its command, and is applied after a recent sign-in only', async () => {
    const visitor = await signIn('admin');
    const preview = await edit(visitor, { edit: 'adapter-enable', name: 'warehouse' });
    expect(preview.text).toContain('update sources.warehouse');
    expect(preview.text).toContain('lockstep adapters enable warehouse');
    expect(await adapterInForce('warehouse')).toMatchObject({ enabled: false });
    await sql`update session set authenticated_at = now() - interval '1 hour'`.execute(
      api.database.db,
    );
    const late = await edit(visitor, { ...fieldsOf(preview.text), do: 'apply' });
    expect([late.status, late.text.includes('Nothing was applied.')]).toEqual([403, true]);
    expect(await adapterInForce('warehouse')).toMatchObject({ enabled: false });
    const again = await signIn('admin');
    await applied(again, { edit: 'adapter-enable', name: 'warehouse' });
    expect(await adapterInForce('warehouse')).toMatchObject({ enabled: true });
    const stale = await edit(again, { ...fieldsOf(preview.text), do: 'apply' });
    expect(stale.status).toBe(409);
  });

  test('flags, applications, the group and properties are changed, and a wrong value is explained', async () => {
    const visitor = await signIn('admin');
    const flags = { edit: 'flags', name: 'warehouse', adapterGroup: 'databases' };
    const preview = await applied(visitor, { ...flags, syncToAdapter: 'yes' });
    expect(preview).toContain(
      'lockstep adapters update warehouse --set syncToAdapter=yes --set syncFromAdapter=no --set verifyOldPassword=no',
    );
    expect(preview).toContain('lockstep adapters remove-app reports');
    expect(preview).toContain('lockstep adapters group warehouse databases');
    expect(await adapterInForce('warehouse')).toMatchObject({
      ...{ syncToAdapter: true, syncFromAdapter: false, applications: [] },
      adapterGroup: 'databases',
    });
    const properties = { edit: 'properties', name: 'legacy', storeWhenOffline: 'yes' };
    const numbers = { retryCount: '3', retryDelaySeconds: '60', maxPending: '4' };
    const set = await applied(visitor, { ...properties, ...numbers });
    expect(set).toContain('lockstep adapters set-props legacy --set retryCount=3<');
    const wrong = await edit(visitor, { ...properties, ...numbers, retryCount: 'many' });
    expect([wrong.status, wrong.text.includes('settings.retryCount')]).toEqual([422, true]);
    expect((await edit(visitor, { edit: 'flags', name: 'nothing' })).status).toBe(404);
    expect((await edit(visitor, { edit: 'constructor' })).status).toBe(404);
  });

  test('the adapters of a group are disabled together, and the switches are set for all adapters', async () => {
    const visitor = await signIn('admin');
    expect((await read(visitor)).text).toContain('Disable all in hosts');
    await applied(visitor, { edit: 'group-disable', group: 'hosts' });
    expect(await adapterInForce('legacy')).toMatchObject({ enabled: false });
    const set = await applied(visitor, { edit: 'switches', adaptersToStore: 'yes' });
    expect(set).toContain(
      'lockstep sso switches --set windowsToAdapters=off --set adaptersToStore=on',
    );
    await applied(visitor, { edit: 'delete', name: 'warehouse' });
    expect(await adapterInForce('warehouse')).toBeUndefined();
    await applied(visitor, { edit: 'create', name: 'warehouse' });
    expect(await adapterInForce('warehouse')).toMatchObject({
      ...{ enabled: false, applications: ['reports'] },
    });
    await applied(visitor, { edit: 'application-disable', name: 'reports' });
    const { text } = await read(visitor, '/console/adapters/warehouse');
    expect(text).toContain('Every application of the adapter is disabled.');
  });

  test('a user without the right sees the adapters without buttons, and changes nothing', async () => {
    const visitor = await signIn('help-desk');
    const [list, one] = [await read(visitor), await read(visitor, '/console/adapters/legacy')];
    expect([list.status, one.status]).toEqual([200, 200]);
    expect(list.text + one.text).not.toContain('action="/console/edit"');
    expect(one.text).toContain('Only an administrator sees API keys.');
    const answers = [
      await edit(visitor, { edit: 'adapter-disable', name: 'legacy' }),
      await visitor.send(at('/console/adapters/legacy/reset'), {}),
      await read(visitor, '/console/mappings/import'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    const key = await api.newKey(['read'], ['another-group']);
    expect((await api.send('GET', '/v1/adapters', { key })).body.adapters).toEqual([]);
    const messages = await api.send('GET', '/v1/adapters/legacy/messages', { key });
    expect(messages.status).toBe(404);
  });

  test('an operator clears the history of an adapter', async () => {
    const visitor = await signIn('operate');
    const done = await visitor.send(at('/console/adapters/legacy/reset'), {});
    expect(done.text).toContain('The history is cleared.');
    const { body } = await api.send('GET', '/v1/audit?action=captures.reset');
    expect(body.records).toMatchObject([{ subject: 'legacy' }]);
  });

  test('the master keys are shown with their missing backup, and with how far a rotation is', async () => {
    const { db } = api.database;
    const visitor = await signIn('read');
    expect((await read(visitor)).text).toContain('No worker reports a master key.');
    const report = { currentMasterKey: 'mk_2', unsavedMasterKeys: ['mk_2'] };
    await reportPresence(db, 'test', report);
    expect((await read(visitor)).text).toContain('A master key has no backup.');
    const { person } = await addMapped();
    await sql`
      update mapping set sealed = '\\x01', master_key_id = 'mk_1'
      where identity_id = (select id from identity where name = ${person})`.execute(db);
    const { text } = await read(visitor);
    expect(text).toContain('0 of 1 credentials are sealed by the key in use.');
    expect(text).toContain('lockstep sso secret rotate');
  });

  test('mappings are imported from a list after a preview, and a list with passwords is not shown again', async () => {
    const { person, account } = await addMapped();
    const { db } = api.database;
    await db.deleteFrom('mapping').execute();
    const visitor = await signIn('configure');
    const send = (rows: string, more: Record<string, string> = {}) =>
      visitor.send(at('/console/mappings/import'), { rows, ...more });
    const rows = `application;identity;account;note\nmainframe;${person};${account};x\nmainframe;nobody;;y\n`;
    const preview = await send(rows, { do: 'plan' });
    expect(preview.text).toContain('1 unknown, 1 to create.');
    expect(preview.text).toContain('These columns are ignored: note.');
    expect(await db.selectFrom('mapping').select('id').execute()).toHaveLength(0);
    const created = await send(rows, { do: 'import', enabled: 'yes' });
    expect(created.text).toContain('1 unknown, 1 created.');
    const stored = await db.selectFrom('mapping').select('enabled').execute();
    expect(stored).toEqual([{ enabled: true }]);
    const secret = await send(`application,identity,password\nmainframe,${person},Tulip-77\n`);
    expect([secret.status, secret.text.includes('looks like a password')]).toEqual([422, true]);
    expect(secret.text + api.printed()).not.toContain('Tulip-77');
    expect((await send('application,identity\nmainframe\n')).text).toContain('Line 2 has another');
  });

  describeInBrowser('in Chromium', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await startBrowser();
    });
    afterAll(() => browser.close());

    const pages = [
      '/console/adapters',
      '/console/adapters/legacy',
      '/console/adapters/warehouse',
      '/console/applications',
      '/console/mappings/import',
    ];

    test.each([
      { colorScheme: 'light', forcedColors: 'none' },
      { colorScheme: 'dark', forcedColors: 'none' },
      { colorScheme: 'dark', forcedColors: 'active' },
    ] as const)(
      'no page has an accessibility violation or is wider than 320 pixels with %j',
      async (mode) => {
        const page = await browser.newPage({ ...mode, viewport: { width: 320, height: 640 } });
        const complaints = complaintsOf(page);
        await page.goto(at('/console/sign-in'));
        await page.fill('#key', await api.newKey(['admin']));
        await page.keyboard.press('Enter');
        await page.waitForURL(at('/console'));
        for (const address of pages) {
          await page.goto(at(address));
          expect([address, await violationsOf(page)]).toEqual([address, []]);
          const width = await page.evaluate('document.documentElement.scrollWidth');
          expect([address, width]).toEqual([address, 320]);
        }
        expect(complaints).toEqual([]);
        await page.context().close();
      },
    );

    test('an administrator disables an adapter by keyboard alone, without JavaScript', async () => {
      const context = await browser.newContext({ javaScriptEnabled: false });
      const page = await context.newPage();
      await page.goto(at('/console/sign-in?to=/console/adapters'));
      await page.focus('#key');
      await page.keyboard.type(await api.newKey(['admin']));
      await page.keyboard.press('Enter');
      await page.waitForURL(at('/console/adapters'));
      await page.focus('text="Disable legacy"');
      await page.keyboard.press('Enter');
      await page.waitForSelector('text="What would change"');
      await page.keyboard.press('Tab');
      for (let step = 0; step < 40; step++) {
        const focused = await page.evaluate('document.activeElement.textContent');
        if (focused === 'Apply') break;
        await page.keyboard.press('Tab');
      }
      await page.keyboard.press('Enter');
      await page.waitForURL(at('/console/adapters/legacy?done=applied'));
      expect(await adapterInForce('legacy')).toMatchObject({ enabled: false });
      await context.close();
    });
  });
});
