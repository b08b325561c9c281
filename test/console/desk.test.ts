import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Scope } from '../../model/api/scopes';
import { revokeApiKey } from '../../store/api-keys';
import { anyRecord, readAudit } from '../../store/audit-records';
import { pauseSource, reopenSource } from '../../store/sources/state';
import type { TestApi } from '../support/api';
import {
  complaintsOf,
  describeInBrowser,
  keyboardComplaintsOf,
  modes,
  shownModes,
  startBrowser,
  violationsOf,
} from '../support/browser';
import { newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { companyDocument, workerSuite } from '../support/worker-suite';

/** The pages of the staff, with a real worker, OpenLDAP and PostgreSQL. */
describeWith(['slapd', 'postgres', 'temporal'], 'the pages of the staff', () => {
  const suite = workerSuite((company) => ({
    ...companyDocument(company),
    applications: { reports: { source: 'crm', label: 'Monthly reports' } },
  }));
  let api: TestApi;
  let person: string;
  let changeId: string;

  beforeAll(async () => {
    api = await suite.startApi();
    ({ person } = await suite.addPerson('directory', 'apps', 'crm'));
    changeId = await suite.lockstep.accept({ person, password: newPassword() });
    await suite.lockstep.readEnd(changeId);
  });

  const post = (
    path: string,
    cookie: string,
    fields: Record<string, string> = {},
    referer = api.url,
  ) =>
    fetch(api.url + path, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: api.url, cookie, referer },
      body: new URLSearchParams(fields),
    });
  const get = (path: string, cookie: string) =>
    fetch(api.url + path, { redirect: 'manual', headers: { cookie } });

  async function signIn(...scopes: Scope[]) {
    const key = await api.newKey(scopes);
    const answer = await post('/console/sign-in', '', { key });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/console']);
    const header = answer.headers.get('set-cookie') ?? '';
    expect(header).toMatch(/^lockstep-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
    return { cookie: header.split(';', 1)[0] ?? '', keyId: `key_${key.split('_')[1]}` };
  }

  const pages = () => [
    '/console',
    '/console/changes',
    `/console/changes/${changeId}`,
    '/console/people',
    `/console/people/${person}`,
    `/console/people/${person}/plan`,
    '/console/sources/crm',
    '/console/stale',
    '/console/relays',
    '/console/applications',
    '/console/adapters',
    '/console/mappings/import',
    '/console/settings',
    '/console/keys',
    '/console/audit',
    '/console/graph',
    '/console/sources/crm/retry?reason=unreachable',
  ];

  test('without a session every page leads to the sign-in, and a wrong key gives none', async () => {
    for (const page of pages()) {
      const answer = await get(page, 'lockstep-session=wrong');
      const signIn = `/console/sign-in?${new URLSearchParams({ to: page })}`;
      expect([answer.status, answer.headers.get('location')]).toEqual([303, signIn]);
    }
    const refused = await post('/console/sign-in', '', { key: 'lks_wrong' });
    expect([refused.status, refused.headers.get('set-cookie')]).toEqual([401, null]);
  });

  test('an administrator opens every page', async () => {
    const { cookie } = await signIn('admin');
    for (const page of pages()) {
      const answer = await get(page, cookie);
      expect([page, answer.status]).toEqual([page, 200]);
    }
  });

  test('a session has the rights of its key only', async () => {
    const { cookie } = await signIn('help-desk');
    const statuses = await Promise.all(
      pages().map(async (page) => (await get(page, cookie)).status),
    );
    expect(statuses).toEqual([...Array(11).fill(200), ...Array(6).fill(403)]);
    expect((await post('/console/sources/crm/pause', cookie)).status).toBe(403);
  });

  test('a session ends with its key, by signing out, and when an administrator ends it', async () => {
    const { db } = suite.lockstep.database;
    const first = await signIn('read');
    await revokeApiKey(db, first.keyId, 'test');
    const second = await signIn('read');
    await post('/console/sign-out', second.cookie);
    const third = await signIn('read');
    const admin = await api.newKey(['admin']);
    const { body } = await api.send('GET', '/v1/sessions', { key: admin });
    const found = (body.sessions as { id: string; keyId: string }[]).find(
      ({ keyId }) => keyId === third.keyId,
    );
    const ended = await api.send('DELETE', `/v1/sessions/${found?.id}`, { key: admin });
    expect(ended.status).toBe(204);
    for (const { cookie } of [first, second, third])
      expect((await get('/console', cookie)).status).toBe(303);
    const filter = { ...anyRecord, action: 'session' };
    const records = await readAudit(db, { filter, order: 'newest', cursor: null, limit: 3 });
    expect(records.map(({ action, subject }) => [action, subject === found?.id])).toEqual([
      ['session.ended', true],
      ['session.started', true],
      ['session.ended', false],
    ]);
  });

  test('an operator pauses and resumes a source, and retries an account that waits', async () => {
    const { cookie } = await signIn('operate');
    await post('/console/sources/crm/pause', cookie);
    expect(await (await get('/console', cookie)).text()).toContain('crm is paused.');
    await post('/console/sources/crm/resume', cookie);
    await suite.takeAway('crm');
    const id = await suite.lockstep.accept({ person, password: newPassword() });
    await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
    const page = await (await get(`/console/changes/${id}`, cookie)).text();
    expect(page).toContain('The source cannot be reached.');
    expect(page).toContain(`lockstep retry ${id}`);
    const source = await (await get('/console/sources/crm', cookie)).text();
    expect(source).toContain('lockstep sources retry --reason unreachable crm');
    expect(source).toContain('Retry 1 account<');
    const preview = '/console/sources/crm/cancel?reason=unreachable';
    const shown = await (await get(preview, cookie)).text();
    expect(shown).toContain('This reaches 1 account. Nothing has been done yet.');
    expect(shown).toContain('This cannot be undone');
    const views = await get('/console/changes?source=crm&reason=unreachable', cookie);
    expect(await views.text()).toContain(`/console/changes/${id}`);
    const none = await get('/console/changes?source=crm&reason=account_locked', cookie);
    expect(await none.text()).toContain('No changes.');
    const tooFast = { reason: 'account_locked', perSecond: '5000' };
    expect((await post('/console/sources/crm/cancel', cookie, tooFast)).status).toBe(400);
    const other = { reason: 'account_locked' };
    expect((await post('/console/sources/crm/cancel', cookie, other)).status).toBe(303);
    await suite.company.proxies.crm.pass();
    await suite.lockstep.forgetTroubles();
    expect((await post(`/console/changes/${id}/retry`, cookie, { account: 'crm' })).status).toBe(
      303,
    );
    expect((await suite.lockstep.readEnd(id)).state).toBe('done');
    const ended = await (await get(`/console/changes/${id}`, cookie)).text();
    expect(ended).toMatch(
      /Attempt 1: waiting\. The source cannot be reached\..*Attempt 2: applied, verified by hash\./s,
    );
    const read = async () => (await get('/console/sources/crm', cookie)).text();
    await until(async () => /Down [^<]* 1 account waited; it was written by/.test(await read()));
    const nowPage = await (await get('/console', cookie)).text();
    expect(nowPage).toMatch(
      /aria-label="In 24 hours: \d+ accounts? written, 0 refused, at most \d+ waited, down/,
    );
  });

  test('a command for what waits for a source never reaches more accounts than its page has named', async () => {
    const { cookie } = await signIn('operate');
    const people = [
      await suite.addPerson('directory', 'crm'),
      await suite.addPerson('directory', 'crm'),
    ];
    await suite.takeAway('crm');
    const [parked = '', waiting = ''] = await Promise.all(
      people.map((one) => suite.lockstep.accept({ person: one.person, password: newPassword() })),
    );
    for (const id of [parked, waiting])
      await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
    await post(`/console/changes/${parked}/park`, cookie, { account: 'crm' });
    await suite.lockstep.readUntil(parked, ({ accounts }) =>
      accounts.some(({ state }) => state === 'parked'),
    );
    const page = await (await get('/console/sources/crm', cookie)).text();
    expect(page.match(/>Cancel 2 accounts</g)).toHaveLength(2);
    expect(page).not.toContain('Cancel 1 account');

    const grown = await post('/console/sources/crm/cancel', cookie, {
      ...{ reason: 'unreachable', count: '1' },
    });
    expect([grown.status, await grown.text()]).toEqual([
      409,
      expect.stringMatching(/More accounts wait now .*This reaches 2 accounts\./s),
    ]);
    expect((await suite.lockstep.read(waiting)).state).toBe('waiting');
    const named = { reason: 'unreachable', count: '2' };
    expect((await post('/console/sources/crm/cancel', cookie, named)).status).toBe(303);
    for (const id of [parked, waiting])
      expect((await suite.lockstep.readEnd(id)).state).toBe('partial');
    const probed = await post('/console/sources/crm/resume', cookie);
    expect(probed.headers.get('location')).toContain('done=ordered');
    await suite.company.proxies.crm.pass();
    await suite.lockstep.forgetTroubles();
  });

  test('the help desk finds a person and forces a change, with a reason that the audit keeps', async () => {
    const { cookie } = await signIn('help-desk');
    const found = await post('/console/people', cookie, { name: person });
    expect(found.headers.get('location')).toBe(`/console/people/${person}`);
    expect((await post('/console/people', cookie, { name: 'no such person' })).status).toBe(404);
    const part = await post('/console/people', cookie, { name: person.slice(1).toUpperCase() });
    expect([part.status, await part.text()]).toEqual([
      200,
      expect.stringContaining(`href="/console/people/${person}"`),
    ]);
    expect((await post('/console/people', cookie, { name: 'x' })).status).toBe(400);
    const fields = { action: 'unlock', reason: 'ticket 4711', source: 'directory' };
    const acted = await post(`/console/people/${person}/act`, cookie, fields);
    expect(acted.status).toBe(303);
    const shown = acted.headers.get('location') ?? '';
    const read = async () => (await get(shown, cookie)).text();
    await until(async () => (await read()).includes('directory: The account was not locked.'));
    const other = await signIn('help-desk');
    expect(await (await get(shown, other.cookie)).text()).not.toContain('was not locked');
    const filter = { ...anyRecord, person, action: 'account.unlock.requested' };
    const { db } = suite.lockstep.database;
    const records = await readAudit(db, { filter, order: 'newest', cursor: null, limit: 5 });
    expect(records).toHaveLength(1);
    expect(JSON.stringify(records)).toContain('ticket 4711');
  });

  test('an administrator unlinks an account from its person, and the help desk cannot', async () => {
    const { person: other, accounts } = await suite.addPerson('directory', 'crm');
    const page = `/console/people/${other}`;
    const account = accounts.find(({ source }) => source === 'crm')?.name ?? '';
    const fields = { source: 'crm', account };
    const [desk, admin] = [await signIn('help-desk'), await signIn('configure')];
    expect(await (await get(page, desk.cookie)).text()).not.toContain('Unlink');
    expect((await post(`${page}/unlink`, desk.cookie, fields)).status).toBe(403);
    expect(await (await get(page, admin.cookie)).text()).toContain('Unlink');
    const done = await post(`${page}/unlink`, admin.cookie, fields);
    expect(done.headers.get('location')).toBe(`${page}?done=unlinked`);
    const after = await (await get(`${page}?done=unlinked`, admin.cookie)).text();
    expect(after).toContain('The account is unlinked.');
    expect(after).not.toContain(account);
    expect((await post(`${page}/unlink`, admin.cookie, fields)).status).toBe(404);
  });

  test('a retry is offered to the help desk only where it helps', async () => {
    const { db } = suite.lockstep.database;
    const { person: other } = await suite.addPerson('directory', 'crm');
    const { cookie } = await signIn('help-desk');
    await pauseSource(db, 'crm', 'source_paused', 'test');
    const id = await suite.lockstep.accept({ person: other, password: newPassword() });
    await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
    const read = async (path: string) => (await get(path, cookie)).text();
    for (const page of [`/console/people/${other}`, `/console/changes/${id}`]) {
      expect(await read(page)).toContain('retry does not help');
      expect(await read(page)).not.toContain(`action="/console/changes/${id}/retry"`);
    }
    await post(`/console/changes/${id}/park`, cookie);
    await suite.lockstep.readUntil(id, ({ accounts }) =>
      accounts.some(({ state }) => state === 'parked'),
    );
    for (const page of [`/console/people/${other}`, `/console/changes/${id}`])
      expect(await read(page)).toContain(`action="/console/changes/${id}/retry"`);
    await reopenSource(db, 'crm', 'paused', 'test');
    await post(`/console/changes/${id}/retry`, cookie);
    expect((await suite.lockstep.readEnd(id)).state).toBe('done');
  });

  test('what the help desk has typed is there again after the sign-in, if the session had ended', async () => {
    const fields = { action: 'unlock', reason: 'ticket <4712>', source: 'crm' };
    const page = `/console/people/${person}`;
    const late = await post(`${page}/act`, '', fields, `${api.url}${page}`);
    const signInPage = `/console/sign-in?${new URLSearchParams({ to: page, ended: '1' })}`;
    expect([late.status, late.headers.get('location')]).toEqual([303, signInPage]);
    const said = await (await get(signInPage, '')).text();
    expect(said).toContain('Your session had ended, so nothing was done.');
    const handed = (late.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
    const { cookie } = await signIn('help-desk');
    const again = await get(page, `${cookie}; ${handed}`);
    const text = await again.text();
    expect(text).toContain('value="ticket &lt;4712&gt;"');
    expect(text).toContain('<option selected>crm</option>');
    expect(text).toContain('Nothing was done yet');
    expect(again.headers.get('set-cookie')).toMatch(/^lockstep-handed=;.*Max-Age=0/);
    const elsewhere = await get('/console/people', `${cookie}; ${handed}`);
    expect(elsewhere.headers.get('set-cookie')).toBeNull();
  });

  test('no text of a cookie reaches a page that it was not made for, and a damaged one does no harm', async () => {
    const { cookie } = await signIn('help-desk');
    for (const value of ['x', 'bm9uZQ', Buffer.from('{"page":1}').toString('base64url'), '%00'])
      expect(
        (await get(`/console/people/${person}`, `${cookie}; lockstep-handed=${value}`)).status,
      ).toBe(200);
  });

  test('an administrator sees what a configuration would change, and an invalid one is explained', async () => {
    const { cookie } = await signIn('configure');
    const page = await (await get('/console/settings', cookie)).text();
    expect(page).toContain('authSource: directory');
    const wanted = 'version: 1\npolicies:\n  everyone:\n    minLength: 9\n';
    const planned = await post('/console/settings', cookie, { text: wanted, do: 'plan' });
    expect(await planned.text()).toMatch(/update policies.everyone.*minLength: 7 → 9/s);
    const wrong = await post('/console/settings', cookie, { text: 'version: 2', do: 'plan' });
    expect([wrong.status, await wrong.text()]).toEqual([
      422,
      expect.stringContaining('not a valid'),
    ]);
  });

  test('the views and filters of the audit and of stale accounts are in their addresses', async () => {
    const { cookie } = await signIn('admin');
    const read = async (path: string) => (await get(path, cookie)).text();
    const recent = await read('/console/audit?action=configuration&hours=24');
    expect(recent).toContain('Configuration 1 was applied.');
    expect(recent).toContain('lockstep audit --action configuration --since 24h');
    expect(recent).toContain('<option value="24" selected>');
    const view = await read('/console/audit?action=configuration');
    expect(view).toContain('?action=configuration" aria-current="page"');
    expect(await read('/console/audit?action=master-key')).toContain('No record matches.');
    const stale = await read(`/console/stale?source=crm&identity=${person}`);
    expect(stale).toContain(`lockstep stale --source crm --identity ${person}`);
    expect(stale).toContain('Show all');
    expect(await read('/console/changes?state=expired')).toContain('Show all changes');
  });

  test('an administrator disables and deletes a mapping, and sees the command that does the same', async () => {
    const { person: owner, accounts } = await suite.addPerson('directory', 'crm');
    const account = accounts.find(({ source }) => source === 'crm')?.name;
    const mapping = { application: 'reports', account, enabled: false };
    const body = { mappings: [mapping] };
    await api.send('PUT', `/v1/identities/${owner}`, { key: await api.newKey(['admin']), body });
    const { cookie } = await signIn('configure', 'help-desk');
    const read = async () =>
      (await get('/console/applications?application=reports', cookie)).text();
    const before = await read();
    expect(before).toContain('Monthly reports');
    expect(before).toContain(`lockstep mappings enable ${owner} reports ${account}`);
    const [, id] = /\/console\/mappings\/(\w+)\/enable/.exec(before) ?? [];
    expect((await post(`/console/mappings/${id}/enable`, cookie)).status).toBe(303);
    expect(await read()).toContain(`/console/mappings/${id}/disable`);
    await post(`/console/mappings/${id}/disable`, cookie);
    await post(`/console/mappings/${id}/delete`, cookie);
    expect(await read()).toContain('No mappings.');
    expect((await post(`/console/mappings/${id}/forget`, cookie)).status).toBe(404);
  });

  test('the picture of the graph is an image for administrators only', async () => {
    const [admin, helper] = [await signIn('admin'), await signIn('help-desk')];
    const picture = await get('/console/graph/picture', admin.cookie);
    expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
    expect(await picture.text()).toContain('crm');
    expect((await get('/console/graph/picture', helper.cookie)).status).toBe(403);
  });

  test('a name with markup is shown as text', async () => {
    const { cookie } = await signIn('help-desk');
    const answer = await post('/console/people', cookie, { name: '<script>alert(1)</script>' });
    expect(await answer.text()).not.toContain('<script>alert');
  });

  describeInBrowser('in Chromium', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await startBrowser();
    });
    afterAll(() => browser.close());

    async function signedIn(options: BrowserContextOptions): Promise<Page> {
      const page = await browser.newPage(options);
      await page.goto(`${api.url}/console`);
      // Without JavaScript axe cannot run.
      if (options.javaScriptEnabled !== false) expect(await violationsOf(page)).toEqual([]);
      await page.fill('#key', await api.newKey(['admin']));
      await page.keyboard.press('Enter');
      await page.waitForURL(`${api.url}/console`);
      return page;
    }

    test.each(shownModes)(
      'no page has an accessibility violation in %s, or is wider than the window',
      async (mode) => {
        const page = await signedIn(modes[mode]);
        const complaints = complaintsOf(page);
        for (const address of pages()) {
          await page.goto(api.url + address);
          expect([address, await violationsOf(page)]).toEqual([address, []]);
          const width = await page.evaluate('document.documentElement.scrollWidth');
          expect([address, width]).toEqual([address, modes[mode].viewport.width]);
        }
        expect(complaints).toEqual([]);
        await page.context().close();
      },
    );

    test('the Tab key reaches everything on every page, in its order, and shows where it is', async () => {
      const page = await signedIn({ viewport: { width: 1280, height: 800 } });
      for (const address of pages()) {
        await page.goto(api.url + address);
        expect([address, await keyboardComplaintsOf(page)]).toEqual([address, []]);
      }
      await page.context().close();
    });

    test.each([true, false])(
      'on a slow network an operator finds why an account waits, with JavaScript %s',
      async (javaScriptEnabled) => {
        await suite.takeAway('crm');
        const id = await suite.lockstep.accept({ person, password: newPassword() });
        await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
        const page = await signedIn({ javaScriptEnabled });
        const network = await page.context().newCDPSession(page);
        // A mobile phone at the edge of its cell.
        const slow = { latency: 400, downloadThroughput: 50_000, uploadThroughput: 25_000 };
        await network.send('Network.emulateNetworkConditions', { offline: false, ...slow });
        await page.goto(`${api.url}/console`);
        await page.click('th a:text-is("crm")');
        await page.waitForURL(/\/console\/sources\/crm$/);
        expect(await page.textContent('main')).toContain('The source cannot be reached.');
        await page.click('td a[href*="reason=unreachable"]:visible');
        await page.waitForURL(/\/console\/changes\?/);
        await page.click(`a[href="/console/changes/${id}"]`);
        await page.waitForURL(/\/console\/changes\/chg_/);
        expect(await page.textContent('main')).toContain('Next attempt at');
        expect(await page.isVisible('#pause')).toBe(javaScriptEnabled);
        await page.context().close();
        await suite.company.proxies.crm.pass();
        await suite.lockstep.forgetTroubles();
        await suite.lockstep.command(id, 'retry');
        await suite.lockstep.readEnd(id);
      },
    );
  });
});
