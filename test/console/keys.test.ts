import type { Browser } from 'playwright-core';
import type { ApiKey } from '../../model/api/keys';
import { startTestApi, type TestApi } from '../support/api';
import { complaintsOf, describeInBrowser, startBrowser, violationsOf } from '../support/browser';
import { describeWith } from '../support/servers';

const document = {
  version: 1,
  sources: { legacy: { kind: 'pull', settings: {} }, other: { kind: 'pull', settings: {} } },
  policies: { everyone: {} },
  groups: { all: { policy: 'everyone', authSource: 'legacy', sources: ['legacy', 'other'] } },
};

/** The pages on which an administrator makes and revokes API keys. */
describeWith(['postgres'], 'the pages about API keys', () => {
  let api: TestApi;
  let cookie: string;

  beforeAll(async () => {
    api = await startTestApi();
    const body = { document, version: 0 };
    expect((await api.send('POST', '/v1/configuration/apply', { body })).status).toBe(200);
    await api.send('PUT', '/v1/identities/ada.marsh', { body: {} });
    const answer = await post('/console/sign-in', { key: await api.newKey(['admin']) });
    cookie = (answer.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
  });
  afterAll(() => api.stop());

  const post = (path: string, fields: Record<string, string> = {}) =>
    fetch(api.url + path, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: api.url, cookie: cookie ?? '' },
      body: new URLSearchParams(fields),
    });
  const get = async (path: string) =>
    (await fetch(api.url + path, { redirect: 'manual', headers: { cookie } })).text();
  const secretIn = (page: string) => /id="secret">(lks_[^<]+)</.exec(page)?.[1] ?? '';
  const keyNamed = async (name: string) => {
    const { body } = await api.send('GET', '/v1/keys');
    return (body.keys as ApiKey[]).find((key) => key.name === name);
  };

  test('an administrator makes a key with limits, and its secret is shown once', async () => {
    const answer = await post('/console/keys/new', {
      ...{ name: "Dora's desk", 'scope:help-desk': 'yes', 'group:all': 'yes' },
      ...{ agent: 'dora.desk', expires: 'month' },
    });
    const page = await answer.text();
    expect(answer.status).toBe(201);
    const command =
      'lockstep keys create &#39;Dora&#39;\\&#39;&#39;s desk&#39; --scope help-desk --group all --expires 30d --agent dora.desk';
    expect(page).toContain(command);
    const key = secretIn(page);
    expect((await api.send('GET', '/v1/changes', { key })).status).toBe(200);
    expect((await api.send('GET', '/v1/keys', { key })).status).toBe(403);
    const made = await keyNamed("Dora's desk");
    expect(made).toMatchObject({ scopes: ['help-desk'], groups: ['all'], agent: 'dora.desk' });
    const days = (new Date(made?.expiresAt ?? 0).getTime() - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(30);
    const shown = (await get('/console/keys')) + (await get(`/console/keys/${made?.id}`));
    expect(shown).toContain('groups all; agent dora.desk');
    expect(shown).not.toContain(key);
  });

  test('a key for an adapter and one for a person are bound to them', async () => {
    await post('/console/keys/new', {
      ...{ name: 'adapter', 'scope:adapter': 'yes', source: 'legacy', expires: 'never' },
    });
    expect(await keyNamed('adapter')).toMatchObject({ source: 'legacy', expiresAt: null });
    await post('/console/keys/new', {
      ...{ name: 'own', 'scope:change-own': 'yes', identity: 'ada.marsh', expires: 'day' },
    });
    expect(await keyNamed('own')).toMatchObject({ identity: 'ada.marsh' });
  });

  test('each mistake is next to its input, and what was typed stays', async () => {
    const wrong = async (fields: Record<string, string>) => {
      const answer = await post('/console/keys/new', fields);
      expect(answer.status).toBe(422);
      return answer.text();
    };
    const nameless = await wrong({ 'scope:adapter': 'yes', 'group:all': 'yes' });
    for (const input of ['name', 'groups', 'source'])
      expect(nameless).toContain(`href="#${input}"`);
    expect(nameless).toMatch(/name="scope:adapter" value="yes" checked/);
    expect(await wrong({ name: 'no scope' })).toContain('href="#scopes"');
    const stranger = { name: 'own', 'scope:change-own': 'yes', identity: 'no.body' };
    expect(await wrong(stranger)).toContain('does not know this person');
  });

  test('an administrator gives a key a new secret, and revokes it', async () => {
    const made = await post('/console/keys/new', { name: 'wall', 'scope:read': 'yes' });
    const first = secretIn(await made.text());
    const id = (await keyNamed('wall'))?.id;
    const page = await get(`/console/keys/${id}`);
    expect(page).toContain(`lockstep keys rotate ${id}`);
    expect(page).toContain(`lockstep keys revoke ${id}`);
    const rotated = await (await post(`/console/keys/${id}/rotate`, { keep: 'no' })).text();
    const second = secretIn(rotated);
    const status = async (key: string) => (await api.send('GET', '/v1/changes', { key })).status;
    expect([await status(first), await status(second)]).toEqual([401, 200]);
    const revoked = await post(`/console/keys/${id}/revoke`);
    expect(revoked.headers.get('location')).toBe('/console/keys?done=revoked');
    expect(await status(second)).toBe(401);
    expect(await get('/console/keys?done=revoked')).toContain('1 revoked key');
    expect(await get(`/console/keys/${id}`)).not.toContain('/revoke"');
  });

  describeInBrowser('in Chromium', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await startBrowser();
    });
    afterAll(() => browser.close());

    test('an administrator makes a key with the keyboard, and copies its secret', async () => {
      const context = await browser.newContext({ viewport: { width: 320, height: 640 } });
      await context.grantPermissions(['clipboard-read', 'clipboard-write']);
      const page = await context.newPage();
      const complaints = complaintsOf(page);
      const [name = '', value = ''] = cookie.split('=');
      await context.addCookies([{ name, value, url: api.url }]);
      await page.goto(`${api.url}/console/keys`);
      expect(await violationsOf(page)).toEqual([]);
      await page.focus('text=Make a key');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/console\/keys\/new$/);
      expect(await violationsOf(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
      await page.focus('#name');
      await page.keyboard.type('by keyboard');
      await page.focus('[name="scope:read"]');
      await page.keyboard.press('Space');
      await page.focus('text=Make the key');
      await page.keyboard.press('Enter');
      await page.getByText('Save it now').waitFor();
      expect(await violationsOf(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
      await page.focus('text=Copy the key');
      await page.keyboard.press('Enter');
      await page.getByText(/^Copied\.$/).waitFor();
      const copied = String(await page.evaluate('navigator.clipboard.readText()'));
      expect(copied).toBe(await page.textContent('#secret'));
      expect((await api.send('GET', '/v1/changes', { key: copied })).status).toBe(200);
      expect(complaints).toEqual([]);
      await context.close();
    });
  });
});
