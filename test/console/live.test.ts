import type { Browser, BrowserContext, Page } from 'playwright-core';
import { callerOf } from '../../store/api-keys';
import { saveProviderUser } from '../../store/provider-users';
import { endSession, grantChange, startSession } from '../../store/sessions';
import { pauseSource, reopenSource } from '../../store/sources/state';
import { startTestApi, type TestApi } from '../support/api';
import { complaintsOf, describeInBrowser, startBrowser } from '../support/browser';
import {
  addPerson,
  applyTestConfiguration,
  ended,
  planned,
  settled,
} from '../support/played-worker';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

/** Pages that keep themselves current, in a browser. The test acts as the worker. */
describeWith(['postgres'], 'live pages', () => {
  describeInBrowser('in Chromium', () => {
    let api: TestApi;
    let browser: Browser;
    let context: BrowserContext;
    let change: string;

    beforeAll(async () => {
      api = await startTestApi();
      const { db } = api.database;
      await applyTestConfiguration(db);
      await addPerson(db, 'alice');
      browser = await startBrowser();
    });
    beforeEach(async () => {
      const { db } = api.database;
      context = await browser.newContext({ locale: 'en-GB' });
      const body = { identity: 'alice', password: 'correct horse battery staple' };
      change = String((await api.send('POST', '/v1/changes', { body })).body.id);
      await planned(db, change, 'alice');
      await settled(db, change, 'directory');
    });
    afterEach(async () => {
      await context.close();
      await ended(api.database.db, change, { state: 'cancelled', reason: null });
    });
    afterAll(async () => {
      await browser.close();
      await api.stop();
    });

    const cookie = (name: string, value: string) =>
      context.addCookies([{ name, value, url: api.url, httpOnly: true, sameSite: 'Lax' }]);

    /** Signs the browser in as staff. @returns the id of the session */
    async function signIn(): Promise<string> {
      const { db } = api.database;
      const caller = await callerOf(db, await api.newKey(['admin']));
      if (caller === null) throw new Error('the key is not accepted');
      await cookie(
        'lockstep-session',
        await startSession(db, caller, { by: 'test', authenticated: 'now' }),
      );
      return newestSession();
    }
    const newestSession = async () =>
      (
        await api.database.db
          .selectFrom('session')
          .select('id')
          .where('key_id', 'is not', null)
          .orderBy('created_at', 'desc')
          .executeTakeFirstOrThrow()
      ).id;

    async function open(address: string): Promise<{ page: Page; complaints: string[] }> {
      const page = await context.newPage();
      const complaints = complaintsOf(page);
      await page.goto(api.url + address);
      return { page, complaints };
    }

    const pause = () => pauseSource(api.database.db, 'warehouse', 'source_paused', 'api-key:x');
    const resume = () => reopenSource(api.database.db, 'warehouse', 'paused', 'test');

    test('ten tabs of a change are all live, use one stream, and leave the connections to other requests', async () => {
      const { db } = api.database;
      await cookie('lockstep-change', await grantChange(db, change));
      let streams = 0;
      context.on('request', (request) => {
        if (request.url().endsWith('/events')) streams += 1;
      });
      const tabs = await Promise.all(
        Array.from({ length: 10 }, () => open(`/password/changes/${change}`)),
      );
      await until(async () => streams === 1);
      const eleventh = await open('/password');
      expect(await eleventh.page.title()).toContain('password');
      await settled(db, change, 'warehouse', {
        state: 'rejected',
        reason: 'policy_too_short',
        proof: 'none',
      });
      for (const { page } of tabs) await page.waitForSelector('.accounts li.refused');
      expect(streams).toBe(1);
      expect(tabs.flatMap(({ complaints }) => complaints)).toEqual([]);
    });

    test('another tab follows the change when the tab with the stream is closed', async () => {
      await cookie('lockstep-change', await grantChange(api.database.db, change));
      const followers: Page[] = [];
      context.on('request', (request) => {
        if (request.url().endsWith('/events')) followers.push(request.frame().page());
      });
      const first = await open(`/password/changes/${change}`);
      await until(() => followers.includes(first.page));
      const second = await open(`/password/changes/${change}`);
      await first.page.close();
      await until(() => followers.includes(second.page));
    });

    test('ten tabs of the page Now show within seconds that a source was paused', async () => {
      await signIn();
      const tabs = await Promise.all(Array.from({ length: 10 }, () => open('/console')));
      await pause();
      for (const { page } of tabs)
        await page.waitForSelector('#verdict:has-text("warehouse is paused")');
      await resume();
      expect(tabs.flatMap(({ complaints }) => complaints)).toEqual([]);
    });

    test('a session that an administrator ends ends the live page with a sentence and a link', async () => {
      const session = await signIn();
      const { page } = await open('/console');
      expect(await page.isVisible('#ended')).toBe(false);
      await endSession(api.database.db, session, 'test');
      await page.waitForSelector('#ended:visible');
      expect(await page.textContent('#ended')).toContain('your session has ended');
      expect(await page.getAttribute('#ended a', 'href')).toMatch(/sign-in\?to=%2Fconsole$/);
    });

    test('the stream of a person ends with the session, and the page shows that', async () => {
      const { db } = api.database;
      const identity = await db
        .selectFrom('identity')
        .select('id')
        .where('name', '=', 'alice')
        .executeTakeFirstOrThrow();
      const caller = await saveProviderUser(db, {
        ...{ issuer: 'https://login.example/', subject: 'alice', name: 'alice' },
        ...{ scopes: ['person'], groups: null, identityId: identity.id },
      });
      const me = await startSession(db, caller, { by: 'test', authenticated: 'now' });
      await cookie('lockstep-me', me);
      const { page } = await open(`/me/changes/${change}`);
      await page.waitForSelector('.accounts li.has');
      await endSession(db, await newestSession(), 'test');
      await page.waitForSelector('#ended:visible');
      expect(await page.textContent('#ended')).toContain('your session has ended');
    });

    test('while the server is away the page shows so, and it goes on when the server is back', async () => {
      await signIn();
      const { page } = await open('/console');
      await context.route('**/*', (route) => route.abort());
      await page.waitForSelector('#lost:visible');
      await context.unroute('**/*');
      await page.waitForSelector('#lost', { state: 'hidden' });
    });

    test('an update keeps the focus of the keyboard, an open part, and a page that the user has paused', async () => {
      await settled(api.database.db, change, 'warehouse', {
        state: 'waiting',
        reason: 'unreachable',
        proof: 'none',
        nextTryInMs: 9_999_999,
      });
      await signIn();
      const page = await context.newPage();
      await page.clock.install();
      await page.goto(`${api.url}/console/changes/${change}`);
      await page.click('details summary');
      await page.focus('tbody form[action$="/cancel"] button');
      const focused =
        'document.activeElement.closest("form").action + document.activeElement.textContent';
      const before = await page.evaluate(focused);
      let updates = 0;
      page.on('request', () => {
        updates += 1;
      });
      const shown = (address: string) => page.locator(`tbody a[href="/errors/${address}"]`);
      await pause();
      await page.clock.runFor(5_000);
      await shown('source_paused').waitFor();
      expect(updates).toBe(1);
      expect(await page.evaluate(focused)).toBe(before);
      expect(await page.locator('details[open]').count()).toBe(1);
      await page.check('#pause');
      await resume();
      await page.clock.runFor(60_000);
      expect(updates).toBe(1);
      await page.uncheck('#pause');
      await page.clock.runFor(5_000);
      await shown('unreachable').waitFor();
    });
  });
});
