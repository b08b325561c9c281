import { request } from 'node:http';
import { sql } from 'kysely';
import type { Browser } from 'playwright-core';
import { consoleRoutes } from '../../api/console/console';
import type { Dependencies } from '../../api/http/dependencies';
import type { Scope } from '../../model/api/scopes';
import { startTestApi, type TestApi } from '../support/api';
import { complaintsOf, describeInBrowser, startBrowser, violationsOf } from '../support/browser';
import { describeWith } from '../support/servers';

const document = {
  version: 1,
  sources: {
    corp: {
      kind: 'postgres-role',
      settings: {
        ...{ host: 'corp.example.com', user: 'lockstep', database: 'postgres' },
        password: '${file:/run/secrets/corp}',
      },
    },
    legacy: { kind: 'pull', settings: {}, adapter: { enabled: true } },
  },
  policies: { everyone: {} },
  groups: { all: { policy: 'everyone', authSource: 'corp', sources: ['corp', 'legacy'] } },
  applications: { reports: { source: 'corp' } },
};

/** What a browser keeps of the forms of the staff. */
describeWith(['postgres'], 'the forms of the staff', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
    const body = { document, version: 0 };
    const applied = await api.send('POST', '/v1/configuration/apply', { body });
    expect([applied.status, applied.body]).toEqual([200, { version: 1 }]);
  });
  afterAll(() => api.stop());

  const post = (path: string, cookie: string, fields: Record<string, string> = {}) =>
    fetch(api.url + path, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: api.url, cookie },
      body: new URLSearchParams(fields),
    });
  const get = (path: string, cookie: string) =>
    fetch(api.url + path, { redirect: 'manual', headers: { cookie } });

  /** The answer to a form of this size, of which only the header is sent. */
  const announced = (path: string, cookie: string, bytes: number) =>
    new Promise<[number | undefined, string]>((resolve, reject) => {
      const headers = {
        ...{ origin: api.url, cookie, 'content-length': bytes },
        'content-type': 'application/x-www-form-urlencoded',
      };
      const sent = request(api.url + path, { method: 'POST', headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part) => {
          text += part;
        });
        answer.once('end', () => {
          resolve([answer.statusCode, text]);
          sent.destroy();
        });
      });
      sent.on('error', reject);
      sent.flushHeaders();
    });

  async function signIn(...scopes: Scope[]) {
    const answer = await post('/console/sign-in', '', { key: await api.newKey(scopes) });
    return (answer.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
  }
  const inForce = async () =>
    (await api.send('GET', '/v1/configuration')).body as {
      version: number;
      configuration: Record<string, Record<string, unknown>>;
    };
  /** Another administrator adds a policy. */
  async function applyPolicy(name: string) {
    const { version, configuration } = await inForce();
    const policies = { ...configuration.policies, [name]: { minLength: 21 } };
    const body = { version, document: { ...configuration, policies } };
    expect((await api.send('POST', '/v1/configuration/apply', { body })).status).toBe(200);
  }

  test('an address that takes a form and shows no page leads back to the page of the form', async () => {
    const cookie = await signIn('admin');
    const posts = consoleRoutes({} as Dependencies)
      .filter(({ method }) => method === 'post')
      .map(({ path }) => path.replaceAll(/:\w+/g, "o'b%2Fx"));
    const led: Record<string, string | null> = {};
    for (const path of posts) {
      const answer = await get(path, cookie);
      expect([path, answer.status]).not.toEqual([path, 405]);
      const to = answer.headers.get('location');
      if (answer.status === 303 && to !== null && !to.startsWith('/sign-in')) led[path] = to;
    }
    const at = "o'b%2Fx";
    expect(led).toEqual({
      '/password/check': '/password',
      '/password/new/check': '/password/new',
      '/me/sign-out': '/me',
      [`/me/sessions/${at}/end`]: '/me',
      '/me/password/check': '/me/password',
      [`/me/applications/${at}/enable`]: '/me/applications',
      [`/me/applications/${at}/disable`]: '/me/applications',
      '/console/sign-out': '/console',
      '/console/edit': '/console/adapters',
      [`/console/adapters/${at}/reset`]: `/console/adapters/${at}`,
      [`/console/changes/${at}/${at}`]: `/console/changes/${at}`,
      [`/console/keys/${at}/rotate`]: `/console/keys/${at}`,
      [`/console/keys/${at}/revoke`]: `/console/keys/${at}`,
      [`/console/mappings/${at}/${at}`]: '/console/applications',
      [`/console/people/${at}/act`]: `/console/people/${at}`,
      [`/console/people/${at}/unlink`]: `/console/people/${at}`,
      [`/console/sessions/${at}/end`]: '/console/keys',
      [`/console/sources/${at}/check`]: `/console/sources/${at}`,
      [`/console/sources/${at}/${at}`]: `/console/sources/${at}`,
    });
  });

  test('an address that does not exist shows a page with a way out, and no sign-in', async () => {
    for (const cookie of ['', await signIn('read')]) {
      const answer = await get('/console/nowhere/x', cookie);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        404,
        expect.stringContaining('text/html'),
      ]);
      expect(await answer.text()).toContain('href="/console">Back to the overview');
    }
  });

  test('a text that another administrator has outrun stays, with what came between', async () => {
    const cookie = await signIn('admin');
    const opened = await (await get('/console/settings', cookie)).text();
    const [, version = ''] = /name="version" value="(\d+)"/.exec(opened) ?? [];
    await applyPolicy('guests');
    const text = 'version: 1\n# my own words\npolicies:\n  everyone: {}\n';
    for (const what of ['plan', 'apply']) {
      const answer = await post('/console/settings', cookie, { text, version, do: what });
      const page = await answer.text();
      expect(answer.status).toBe(409);
      expect(page).toContain('The configuration has changed since you opened this page');
      expect(page).toContain('create policies.guests');
      expect(page).toContain('# my own words');
      expect(page).not.toContain('not a valid configuration');
    }
    expect((await inForce()).configuration.policies).toHaveProperty('guests');
    const now = String((await inForce()).version);
    const seen = await post('/console/settings', cookie, { text, version: now, do: 'plan' });
    expect([seen.status, await seen.text()]).toEqual([
      200,
      expect.stringContaining('delete policies.guests'),
    ]);
    const invalid = await post('/console/settings', cookie, { text: 'version: 2', version });
    expect(await invalid.text()).toContain('This text is not a valid configuration');
  });

  test('an edit and a new source that another administrator has outrun are shown again', async () => {
    const cookie = await signIn('admin');
    const version = String((await inForce()).version);
    await applyPolicy('again');
    const edit = { edit: 'adapter-disable', name: 'legacy', do: 'apply', version };
    const edited = await post('/console/edit', cookie, edit);
    const page = await edited.text();
    expect(edited.status).toBe(409);
    expect(page).toContain('create policies.again');
    expect(page).toMatch(/update sources\.legacy.*adapter\.enabled: true → false/s);
    const source = {
      ...{ name: 'wiki', 's-host': 'wiki.example.com', 's-user': 'lockstep', do: 'apply', version },
      ...{ 's-database': 'postgres', 's-password': '${file:/run/secrets/wiki}' },
    };
    const connected = await post('/console/connect/postgres-role', cookie, source);
    const form = await connected.text();
    expect(connected.status).toBe(409);
    expect(form).toContain('create policies.again');
    expect(form).toContain('value="wiki.example.com"');
    const { configuration } = await inForce();
    expect(configuration.sources).not.toHaveProperty('wiki');
    expect(configuration.sources?.legacy).toMatchObject({ adapter: { enabled: true } });
  });

  test('a form that is sent after the session has ended is held, without what may be a secret', async () => {
    const held = async (path: string, fields: Record<string, string>) => {
      const answer = await post(path, 'lockstep-session=ended', fields);
      expect([path, answer.status]).toEqual([path, 401]);
      return answer.text();
    };
    const text = await held('/console/settings', { text: 'version: 1 # <mine>', do: 'plan' });
    expect(text).toContain('action="/console/settings"');
    expect(text).toContain('name="text" value="version: 1 # &lt;mine&gt;"');
    expect(text).toContain('name="do" value="plan"');
    expect(text).not.toContain('type that again');
    const bare = { 's-host': 'wiki.example.com', 's-password': 'hunter2-bare' };
    const connect = await held('/console/connect/postgres-role', bare);
    expect(connect).toContain('value="wiki.example.com"');
    expect(connect).toContain('type that again');
    const reference = { 's-password': '${file:wiki}' };
    expect(await held('/console/connect/postgres-role', reference)).toContain('${file:wiki}');
    const sample = { 'corp.sample': 'hunter2-sample', 'corp.maxLength': '8' };
    const rows = { rows: 'application,identity,password\nreports,ada,hunter2-row' };
    const pages = [
      connect,
      await held('/console/groups/all', sample),
      await held('/console/mappings/import', rows),
    ];
    for (const page of pages) expect(page).not.toContain('hunter2');
    const list = { rows: 'application,identity,account\nreports,ada,ada1' };
    expect(await held('/console/mappings/import', list)).toContain('reports,ada,ada1');
    const { body } = await api.send('GET', '/v1/jobs?limit=1');
    expect(JSON.stringify(body)).not.toContain('hunter2');
  });

  test('a form that needs a recent sign-in is held, too', async () => {
    const cookie = await signIn('admin');
    await sql`update session set authenticated_at = now() - interval '1 hour'`.execute(
      api.database.db,
    );
    const fields = { name: 'reader of the wall', 'scope:read': 'yes' };
    const answer = await post('/console/keys/new', cookie, fields);
    const page = await answer.text();
    expect(answer.status).toBe(403);
    expect(page).toContain('value="reader of the wall"');
    expect(page).toContain('again=1');
  });

  test('a list of many megabytes is read, and one that is too large is refused with the limit', async () => {
    const cookie = await signIn('admin');
    const rows = (bytes: number) =>
      `application,identity,account\n${'reports,nobody,n\n'.repeat(bytes / 17)}`;
    const form = { rows: rows(3 * 1024 * 1024), do: 'plan' };
    const large = await post('/console/mappings/import', cookie, form);
    expect([large.status, await large.text()]).toEqual([
      422,
      expect.stringMatching(
        /The list has 18\d{4} mappings, and at most 10000 are read\. Split it\./,
      ),
    ]);
    const tooLarge = await announced('/console/mappings/import', cookie, 33 * 2 ** 20);
    expect(tooLarge).toEqual([400, expect.stringContaining('larger than 32 MB')]);
    const other = await announced('/console/settings', cookie, 600 * 1024);
    expect(other).toEqual([400, expect.stringContaining('larger than 512 kB')]);
  });

  describeInBrowser('in Chromium', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await startBrowser();
    });
    afterAll(() => browser.close());

    test.each([true, false])(
      'what an administrator has typed survives the end of the session, with JavaScript %s',
      async (javaScriptEnabled) => {
        const page = await browser.newPage({ javaScriptEnabled });
        const complaints = complaintsOf(page);
        const signInOn = async (on: typeof page) => {
          await on.fill('#key', await api.newKey(['admin']));
          await on.keyboard.press('Enter');
          await on.waitForURL(/\/console(\/settings)?$/);
        };
        await page.goto(`${api.url}/console/settings`);
        await signInOn(page);
        await page.goto(`${api.url}/console/settings`);
        const typed = 'version: 1\npolicies:\n  typed: {}\n';
        await page.fill('#text', typed);
        await page.context().clearCookies();
        await page.click('text=Show what would change');
        await page.getByText('Your session has ended').waitFor();
        if (javaScriptEnabled) expect(await violationsOf(page)).toEqual([]);
        const [tab] = await Promise.all([
          page.context().waitForEvent('page'),
          page.click('text=Sign in in a new tab'),
        ]);
        await signInOn(tab);
        await tab.close();
        await page.click('text=Send again');
        await page.getByText('create policies.typed').waitFor();
        expect(await page.inputValue('#text')).toBe(typed);
        expect(complaints).toEqual([]);
        await page.context().close();
      },
    );
  });
});
