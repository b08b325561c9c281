import type { Browser, Page } from 'playwright-core';
import { startTestApi, type TestApi } from '../support/api';
import { complaintsOf, describeInBrowser, startBrowser } from '../support/browser';
import { consoleCheck, testIfChecked } from '../support/console-check';
import { addPerson, applyTestConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';

/** `npm run check:console` has more accounts, and measures. */
const ACCOUNTS = consoleCheck.accounts;
/** A page for people has no more elements than this, however much waits. */
const MOST_ELEMENTS = 2_000;
/** Browsers call a task long from here on: it is felt. */
const LONG_TASK_MS = 50;
const LOAD_MS = 2_000;

/** The pages of operators while very many accounts wait for one source. */
describeWith(['postgres'], `the pages while ${ACCOUNTS} accounts wait`, () => {
  describeInBrowser('in Chromium', () => {
    let api: TestApi;
    let browser: Browser;
    let page: Page;
    let complaints: string[];

    beforeAll(async () => {
      api = await startTestApi();
      await applyTestConfiguration(api.database.db);
      await addPerson(api.database.db, 'alice');
      await makeWaiting(ACCOUNTS);
      browser = await startBrowser();
      page = await browser.newPage({ locale: 'en-GB' });
      complaints = complaintsOf(page);
      await page.goto(`${api.url}/console`);
      await page.fill('#key', await api.newKey(['admin']));
      await page.keyboard.press('Enter');
      await page.waitForURL(`${api.url}/console`);
    });
    afterAll(async () => {
      expect(complaints).toEqual([]);
      await browser.close();
      await api.stop();
    });

    /** Changes of one account each that wait for warehouse, for four reasons, and one change with as many accounts. */
    const makeWaiting = (count: number) =>
      api.database.pool.query(
        `with person as (select id from identity where name = 'alice'), made as (
           insert into change (id, identity_id, identity_name, seq, groups, requested_by, requested_by_name, state,
                               configuration_version, planned_at, expires_at, created_at)
           select 'chg_' || lpad(n::text, 26, '0'), person.id, 'alice', n + 100, '{one-password}', 'k', 'k', 'waiting',
                  1, now(), now() + interval '1 day', now() - make_interval(secs => $1::int - n)
           from person, generate_series(0, $1::int) n returning id, seq)
         insert into outcome (change_id, label, position, source, role, state, reason, account_name, next_try_at)
         select id, case n when 1 then 'warehouse' else 'warehouse-' || n end, n, 'warehouse', 'member', 'waiting',
                (array['unreachable', 'busy', 'account_locked', 'in_doubt'])[1 + seq % 4], 'alice', now() + interval '1 hour'
         from made cross join lateral generate_series(1, case when seq = 100 then $1::int else 1 end) n`,
        [count],
      );

    const largeChange = `chg_${'0'.repeat(26)}`;
    const addresses = [
      '/console',
      '/console/sources/warehouse',
      '/console/sources/warehouse/retry',
      '/console/changes',
      '/console/changes?state=waiting&source=warehouse&reason=busy',
      `/console/changes/${largeChange}`,
    ];

    test.each(addresses)('the page %s stays small', async (address) => {
      const answer = await page.goto(api.url + address);
      expect([address, answer?.status()]).toEqual([address, 200]);
      expect(await page.locator('*').count()).toBeLessThan(MOST_ELEMENTS);
    });

    test('the numbers on the pages are those of all accounts', async () => {
      await page.goto(`${api.url}/console/sources/warehouse`);
      expect(await page.textContent('main')).toContain(`Retry ${2 * ACCOUNTS} accounts`);
      await page.goto(`${api.url}/console/changes/${largeChange}`);
      expect(await page.textContent('main')).toContain(`Cancel ${ACCOUNTS} accounts`);
      expect(await page.textContent('main')).toContain(`${ACCOUNTS - 50} more accounts`);
    });

    testIfChecked.each(addresses)(
      'no task of the page %s, nor of its updates, blocks the browser for long',
      async (address) => {
        await page.addInitScript(
          `window.tasks = []; new PerformanceObserver((list) => {
            for (const { duration, startTime } of list.getEntries()) window.tasks.push([Math.round(startTime), Math.round(duration)]);
          }).observe({ type: 'longtask', buffered: true });`,
        );
        const began = performance.now();
        await page.goto(api.url + address);
        const took = Math.round(performance.now() - began);
        // Three updates.
        for (let count = 0; count < 3 && (await page.locator('[data-live]').count()) > 0; count++)
          await page.waitForResponse((response) => response.url() === api.url + address);
        const tasks = (await page.evaluate('window.tasks')) as [number, number][];
        process.stdout.write(`${address}: ${took} ms, long tasks ${JSON.stringify(tasks)}\n`);
        expect(tasks.filter(([, duration]) => duration > LONG_TASK_MS)).toEqual([]);
        expect(took).toBeLessThan(LOAD_MS);
      },
      60_000,
    );
  });
});
