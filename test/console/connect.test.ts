import { sql } from 'kysely';
import type { Browser } from 'playwright-core';
import { currentConfiguration } from '../../store/configuration/versions';
import type { TestApi } from '../support/api';
import { complaintsOf, describeInBrowser, startBrowser, violationsOf } from '../support/browser';
import { describeWith } from '../support/servers';
import { companyDocument, workerSuite } from '../support/worker-suite';

/** The references of the company with the prefix to which the worker limits them. */
const withAllowedSecrets = <Part>(part: Part): Part =>
  JSON.parse(JSON.stringify(part).replaceAll('${env:', '${env:LOCKSTEP_SECRET_'));

/** The pages on which an administrator connects a source, with a real worker, OpenLDAP and PostgreSQL. */
describeWith(['slapd', 'postgres', 'temporal'], 'the pages that connect a source', () => {
  const suite = workerSuite((company) => {
    const { apps: _, ...sources } = company.sources();
    const all = {
      policy: 'everyone',
      authSource: 'directory',
      sources: ['directory', 'warehouse', 'crm'],
    };
    return withAllowedSecrets({ ...companyDocument(company), sources, groups: { all } });
  });
  let api: TestApi;
  let cookie: string;

  beforeAll(async () => {
    api = await suite.startApi();
    const key = await api.newKey(['configure']);
    const signIn = await post('/console/sign-in', { key });
    cookie = (signIn.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
    await suite.addPerson('directory', 'apps');
  });

  const post = (path: string, fields: Record<string, string>) =>
    fetch(api.url + path, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: api.url, cookie: cookie ?? '' },
      body: new URLSearchParams(fields),
    });
  const get = async (path: string) =>
    (await fetch(api.url + path, { redirect: 'manual', headers: { cookie } })).text();

  /** What an administrator types to connect the directory of the apps. */
  const typed = (more: Record<string, string> = {}): Record<string, string> => {
    const { apps } = withAllowedSecrets(suite.company.sources());
    const { settings } = apps as { settings: Record<string, unknown> };
    const given = Object.entries(settings).map(([name, value]) => [`s-${name}`, String(value)]);
    return {
      ...Object.fromEntries(given),
      name: 'apps',
      'title-en': 'Wiki <b>and</b> tools',
      'match-account': 'mail',
      'match-person': 'mail',
      group: 'all',
      ...more,
    };
  };
  const submit = (fields: Record<string, string>) => post('/console/connect/ldap', fields);
  const inForce = async () =>
    (await currentConfiguration(suite.lockstep.database.db)).configuration;
  const jobs = async () =>
    (
      await sql<{ parameters: { settings: object } }>`
        select parameters from job where kind = 'check' and source is null`.execute(
        suite.lockstep.database.db,
      )
    ).rows;

  test('every kind has a form with each of its settings', async () => {
    const kinds = [
      ...(await get('/console/connect')).matchAll(/href="\/console\/connect\/([\w-]+)"/g),
    ];
    expect(kinds.length).toBeGreaterThan(10);
    for (const [, kind] of kinds)
      expect(await get(`/console/connect/${kind}`)).toContain('Test the connection');
    const page = await get('/console/connect/sql-column');
    for (const setting of ['keyColumn', 'disabledValues', 'scheme', 'poolSize'])
      expect(page).toContain(`id="s-${setting}"`);
  });

  test('a test shows what is wrong and keeps what was typed, and another one shows accounts', async () => {
    const wrong = await (
      await submit(typed({ do: 'test', 's-base': 'ou=nowhere,dc=none' }))
    ).text();
    expect(wrong).toContain('The connection does not work yet.');
    expect(wrong).toContain('value="ou=nowhere,dc=none"');
    expect(wrong).toContain('value="Wiki &lt;b&gt;and&lt;/b&gt; tools"');
    const right = await (await submit(typed({ do: 'test' }))).text();
    expect(right).toContain('The connection works.');
    expect(right).toContain('The first accounts');
    expect(right).toMatch(/ou=people,/);
    expect((await inForce()).sources).not.toHaveProperty('apps');
  });

  test('a secret that is typed instead of a reference is not shown again, and reaches no worker', async () => {
    const before = (await jobs()).length;
    for (const what of ['test', 'plan', 'apply']) {
      const answer = await submit(typed({ do: what, 's-bindPassword': 'hunter2-is-secret' }));
      const page = await answer.text();
      expect([answer.status, page.includes('hunter2')]).toEqual([422, false]);
      expect(page).toContain('What you typed was discarded.');
    }
    expect((await jobs()).length).toBe(before);
  });

  test('each mistake is next to its input, and nothing is lost', async () => {
    const unnamed = await submit(typed({ do: 'plan', name: 'No Name' }));
    expect(await unnamed.text()).toContain('id="name-problem"');
    const wrong = { 's-url': 'http://x', 'title-de': 'x\u202ey', group: ':new', 'new-group': 'N' };
    const answer = await submit(typed({ do: 'plan', ...wrong }));
    const page = await answer.text();
    expect(answer.status).toBe(422);
    for (const input of ['s-url', 'title-de', 'new-group'])
      expect(page).toContain(`id="${input}-problem"`);
    expect(page).toContain('value="http://x"');
    const again = await submit(typed({ do: 'plan', name: 'crm' }));
    expect(await again.text()).toContain('There is already a source &quot;crm&quot;.');
    const before = await inForce();
    const group = { group: ':new', 'new-group': 'all', 'other-source': 'crm', policy: ':new' };
    for (const what of ['plan', 'apply']) {
      const taken = await submit(typed({ do: what, ...group }));
      expect([taken.status, await taken.text()]).toEqual([
        422,
        expect.stringContaining('There is already a group &quot;all&quot;.'),
      ]);
    }
    expect(await inForce()).toEqual(before);
  });

  test('a setting that refers to a secret is not shown while it is typed, and says what to write', async () => {
    const page = await (await submit(typed({ do: 'plan' }))).text();
    const [input = ''] = /<input id="s-bindPassword"[^>]*>/.exec(page) ?? [];
    expect(input).toContain('type="password"');
    expect(input).toContain('title="A reference, such as ${file:crm}, never the secret itself"');
    expect(page).toMatch(/Typed: <code>\$\{env:LOCKSTEP_SECRET_\w+\}<\/code>/);
  });

  test('a test and an apply need a sign-in of the last minutes, and keep what was typed', async () => {
    const { db } = suite.lockstep.database;
    await sql`update session set authenticated_at = now() - interval '11 minutes'`.execute(db);
    const before = (await jobs()).length;
    for (const what of ['test', 'apply']) {
      const answer = await submit(typed({ do: what, version: '1' }));
      expect(answer.status).toBe(403);
      const page = await answer.text();
      expect(page).toContain('Sign in again in a new tab');
      expect(page).toContain('value="Wiki &lt;b&gt;and&lt;/b&gt; tools"');
    }
    await sql`update session set authenticated_at = now()`.execute(db);
    expect((await jobs()).length).toBe(before);
    expect((await inForce()).sources).not.toHaveProperty('apps');
  });

  test('the page of a group shows who is the strictest, with examples, and tries filters on samples', async () => {
    const page = await get('/console/groups/all');
    expect(page).toContain('requires 7 characters or more');
    expect(page).toContain('Breaks it');
    const fields = {
      source: 'crm',
      'crm.case': 'upper',
      'crm.allowed': 'A-Z0-9',
      'crm.maxLength': '8',
      'crm.sample': '<i>Neu</i>9',
    };
    const tried = await (await post('/console/groups/all', fields)).text();
    expect(tried).toContain('KAYAKVEL');
    expect(tried).toContain('&lt;i&gt;Neu&lt;/i&gt;9');
    expect(tried).toContain('INEUI9');
    const wrong = await post('/console/groups/all', { ...fields, 'crm.maxLength': 'x' });
    expect([wrong.status, await wrong.text()]).toEqual([
      422,
      expect.stringContaining('id="crm.maxLength-problem"'),
    ]);
  });

  describeInBrowser('in Chromium', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await startBrowser();
    });
    afterAll(() => browser.close());

    test.each(['light', 'dark'] as const)(
      'no page has an accessibility violation in %s colours or is wider than 320 pixels',
      async (colorScheme) => {
        const page = await browser.newPage({ colorScheme, viewport: { width: 320, height: 640 } });
        const complaints = complaintsOf(page);
        const [name = '', value = ''] = cookie.split('=');
        await page.context().addCookies([{ name, value, url: api.url }]);
        const addresses = ['/console/connect', '/console/connect/ldap', '/console/groups/all'];
        for (const address of addresses) {
          await page.goto(api.url + address);
          await page.evaluate(
            "document.querySelectorAll('details').forEach((one) => { one.open = true; })",
          );
          expect([address, await violationsOf(page)]).toEqual([address, []]);
          const width = await page.evaluate('document.documentElement.scrollWidth');
          expect([address, width]).toEqual([address, 320]);
        }
        expect(complaints).toEqual([]);
        await page.context().close();
      },
    );

    test('an administrator connects a source with the keyboard alone, from the test to the plan to the apply', async () => {
      const page = await browser.newPage();
      const complaints = complaintsOf(page);
      const [name = '', value = ''] = cookie.split('=');
      await page.context().addCookies([{ name, value, url: api.url }]);
      await page.goto(`${api.url}/console/connect/ldap`);
      const type = async (input: string, text: string) => {
        await page.focus(`#${input}`);
        await page.keyboard.type(text);
      };
      const press = async (title: string) => {
        await page.getByRole('button', { name: title }).focus();
        await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
      };
      const wanted = typed();
      for (const field of ['name', 's-url', 's-bindDn', 's-bindPassword', 's-base', 's-ca'])
        await type(field, wanted[field] ?? '');
      await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
      await page.getByText('The connection works.').waitFor();
      expect(await violationsOf(page)).toEqual([]);
      await type('match-account', 'mail');
      await type('match-person', 'mail');
      await page.focus('#group');
      await page.keyboard.type('The password of the group all');
      await press('Show what would change');
      await page.getByText('create sources.apps').waitFor();
      expect(await page.inputValue('#yaml')).toContain('kind: ldap');
      expect(await violationsOf(page)).toEqual([]);
      await press('Connect the source');
      await page.waitForURL(/\/console\/sources\/apps\?done=connected/);
      expect(await violationsOf(page)).toEqual([]);
      expect(complaints).toEqual([]);
      const { sources, groups } = await inForce();
      expect(sources.apps).toMatchObject({ kind: 'ldap', correlate: [{ mail: 'mail' }] });
      expect(groups.all?.sources).toEqual(['directory', 'warehouse', 'crm', 'apps']);
      await page.context().close();
    });
  });
});
