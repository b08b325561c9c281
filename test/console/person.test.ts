import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { pauseSource, reopenSource } from '../../store/sources/state';
import type { TestApi } from '../support/api';
import { complaintsOf, describeInBrowser, startBrowser, violationsOf } from '../support/browser';
import { awkwardWords, holders, newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { companyDocument, workerSuite } from '../support/worker-suite';

/** The pages on which a person changes the password, with a real worker, OpenLDAP and PostgreSQL. */
describeWith(['slapd', 'postgres', 'temporal'], 'the password pages', () => {
  const suite = workerSuite((company) =>
    companyDocument(company, {
      crm: {
        title: { en: 'Customers <b>', de: 'Kunden' },
        hint: { en: 'Restart the app afterwards.' },
      },
    }),
  );
  let api: TestApi;

  beforeAll(async () => {
    const file = path.join(suite.lockstep.keyDir, 'console-key');
    api = await suite.startApi({ LOCKSTEP_CONSOLE_KEY_FILE: file });
  });

  /** Adds a person whose accounts all hold `word`. */
  async function addPerson(word: string) {
    const { person, accounts } = await suite.addPerson('directory', 'apps', 'crm');
    await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: word }));
    return { person, accounts };
  }

  interface Sent {
    readonly username: string;
    readonly current: string;
    readonly next: string;
  }

  const submit = (fields: Sent, headers: Record<string, string> = {}) =>
    fetch(`${api.url}/password`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: api.url, ...headers },
      body: new URLSearchParams({ ...fields }),
    });

  const progress = async (answer: Response) => {
    const cookie = (answer.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
    const address = answer.headers.get('location') ?? '';
    const read = async () => (await fetch(api.url + address, { headers: { cookie } })).text();
    return { address, cookie, read };
  };

  test.each(awkwardWords)(
    'a person changes a password %s without JavaScript, and the page shows each account',
    async (_title, word) => {
      const current = newPassword();
      const { person, accounts } = await addPerson(current);
      const answer = await submit({ username: person, current, next: word });
      expect(answer.status).toBe(303);
      const { address, read } = await progress(answer);
      expect(address).toMatch(/^\/password\/changes\/chg_\w+\?lang=en$/);
      await until(async () => (await read()).includes('your new password works everywhere'));
      expect((await read()).match(/has your new password/g)).toHaveLength(3);
      expect(await holders(accounts, word)).toEqual([true, true, true]);
    },
  );

  test('a wrong password and an unknown user name have the same page, and change nothing', async () => {
    const current = newPassword();
    const { person, accounts } = await addPerson(current);
    const next = newPassword();
    // The third wrong password is not tried any more, which must not show that the name exists.
    for (const word of ['not this one at all', 'nor this one', 'and not this one']) {
      const wrong = await submit({ username: person, current: word, next });
      const unknown = await submit({ username: `${person}x`, current: word, next });
      expect([wrong.status, unknown.status]).toEqual([422, 422]);
      const [first, second] = [await wrong.text(), await unknown.text()];
      expect(second.replaceAll(`${person}x`, person)).toBe(first);
      expect(first).toContain('The user name or the current password is wrong.');
      expect(first).not.toContain(next);
    }
    expect(await holders(accounts, current)).toEqual([true, true, true]);
  });

  test('a password against the policy is refused with every rule, in the language of the person', async () => {
    const current = newPassword();
    const { person } = await addPerson(current);
    const german = { 'accept-language': 'de-DE,de;q=0.9,en;q=0.5' };
    const answer = await submit({ username: person, current, next: 'abc123' }, german);
    expect(answer.status).toBe(422);
    const page = await answer.text();
    expect(page).toContain('<html lang="de">');
    expect(page).toContain('Das neue Passwort … hat mindestens 7 Zeichen');
    expect(page).toContain('<li>Kunden<p class="hint">Restart the app afterwards.</p></li>');
    expect(page).toContain('gehört nicht zu denen, die Angreifer zuerst versuchen');
  });

  test('an account that waits shows why, until when, and that the old password still works there', async () => {
    const current = newPassword();
    const { person } = await addPerson(current);
    await suite.takeAway('crm');
    const answer = await submit({ username: person, current, next: newPassword() });
    const { read } = await progress(answer);
    await until(async () => (await read()).includes('Some systems get it later'));
    const page = await read();
    expect(page).toContain('The system cannot be reached at the moment.');
    expect(page).toContain('<strong>Customers &lt;b&gt;</strong>');
    expect(page).not.toMatch(/>crm</i);
    expect(page).toMatch(/We keep trying until \w{3},? \d\d:\d\d/);
    expect(page).toContain('Your old password still works there.');
    await suite.company.proxies.crm.pass();
    await suite.lockstep.forgetTroubles();
    const [id = ''] = /chg_\w+/.exec(answer.headers.get('location') ?? '') ?? [];
    await suite.lockstep.command(id, 'retry');
    await suite.lockstep.readEnd(id);
  });

  test('an account of a paused source, and one that is parked, is shown as what it is and not as an outage', async () => {
    const { db } = suite.lockstep.database;
    const current = newPassword();
    const { person } = await addPerson(current);
    await pauseSource(db, 'crm', 'source_paused', 'test');
    const answer = await submit({ username: person, current, next: newPassword() });
    const { address, cookie, read } = await progress(answer);
    await until(async () => (await read()).includes('The operators have paused this system.'));
    expect(await read()).not.toMatch(/system cannot be reached|Next try at/);
    const german = await fetch(api.url + address.replace('=en', '=de'), { headers: { cookie } });
    expect(await german.text()).toContain('Die Betreiber haben dieses System angehalten.');
    const [id = ''] = /chg_\w+/.exec(address) ?? [];
    await suite.lockstep.command(id, 'park');
    await until(async () => (await read()).includes('waits for the help desk'));
    const parked = await read();
    expect(parked).toContain('your help desk has to look at some systems');
    expect(parked).toContain('It is not tried again by itself');
    expect(parked).not.toContain('you need not do anything');
    await reopenSource(db, 'crm', 'paused', 'test');
    await suite.lockstep.command(id, 'retry');
    expect((await suite.lockstep.readEnd(id)).state).toBe('done');
  });

  test('a password that is not changed yet, because the auth source is paused, is not shown as being checked', async () => {
    const { db } = suite.lockstep.database;
    const current = newPassword();
    const { person } = await addPerson(current);
    await pauseSource(db, 'directory', 'source_paused', 'test');
    const answer = await submit({ username: person, current, next: newPassword() });
    const { address, read } = await progress(answer);
    await until(async () =>
      (await read()).includes(
        'Your password is not changed yet. The operators have paused this system.',
      ),
    );
    await reopenSource(db, 'directory', 'paused', 'test');
    const [id = ''] = /chg_\w+/.exec(address) ?? [];
    expect((await suite.lockstep.readEnd(id)).state).toBe('done');
  });

  test('the page shows a person who has forgotten the password what to do', async () => {
    const text = await (await fetch(`${api.url}/password`)).text();
    expect(text).toContain('Have you forgotten your password?');
    expect(text).toContain('call your help desk');
    expect(text).toContain('href="/password/link?lang=en"');
    // Without an identity provider there is no sign-in.
    expect(text).not.toContain('href="/me/password');
  });

  test('a form of another site, or of no browser, is refused before it is read', async () => {
    const { person } = await addPerson(newPassword());
    const fields = { username: person, current: 'whatever it is', next: newPassword() };
    const answers = await Promise.all([
      submit(fields, { origin: 'https://evil.example' }),
      submit(fields, { 'sec-fetch-site': 'cross-site' }),
      submit(fields, { 'sec-fetch-site': 'same-site' }),
      submit(fields, { origin: 'null' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
  });

  test('the page of a change opens only in the browser that started it', async () => {
    const current = newPassword();
    const { person } = await addPerson(current);
    const { address, cookie } = await progress(
      await submit({ username: person, current, next: newPassword() }),
    );
    const statusWith = async (headers: Record<string, string>) =>
      (await fetch(api.url + address, { headers })).status;
    expect(await statusWith({ cookie })).toBe(200);
    expect(await statusWith({})).toBe(404);
    expect(await statusWith({ cookie: `${cookie}x` })).toBe(404);
  });

  test('the address for password managers leads to the page', async () => {
    const answer = await fetch(`${api.url}/.well-known/change-password`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/password']);
  });

  test('no page allows inline code, code from text, frames or another origin', async () => {
    const { headers } = await fetch(`${api.url}/password`);
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;connect-src 'self';form-action 'self';base-uri 'none';frame-ancestors 'none';require-trusted-types-for 'script';trusted-types 'none'",
    );
    expect(headers.get('referrer-policy')).toBe('same-origin');
  });

  describeInBrowser('in Chromium', () => {
    let browser: Browser;
    let page: Page;
    let complaints: string[];

    beforeAll(async () => {
      browser = await startBrowser();
    });
    beforeEach(async () => {
      page = await browser.newPage({ locale: 'en-GB' });
      complaints = complaintsOf(page);
    });
    afterEach(async () => {
      expect(complaints).toEqual([]);
      await page.context().close();
    });
    afterAll(() => browser.close());

    test('a person changes the password by keyboard, and the page follows until every account has it', async () => {
      const current = newPassword();
      const { person, accounts } = await addPerson(current);
      await page.goto(`${api.url}/password`);
      await page.focus('#username');
      await page.keyboard.type(person);
      await page.keyboard.press('Tab');
      await page.keyboard.type(current);
      await page.keyboard.press('Tab');
      await page.keyboard.type('abc');
      expect(await page.textContent('[data-rule=minLength]')).toContain('not met yet');
      const next = newPassword();
      await page.fill('#next', next);
      expect(await page.textContent('[data-rule=minLength]')).toMatch(/ met$/);
      expect(await page.textContent('#summary')).toContain('Every rule');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      expect(await page.getAttribute('#next', 'type')).toBe('text');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/password\/changes\//);
      await page.waitForSelector('.verdict.good');
      expect(await page.locator('.accounts li.has').count()).toBe(3);
      expect(await holders(accounts, next)).toEqual([true, true, true]);
      const stored = await page.evaluate(
        'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, document.documentElement.outerHTML, location.href])',
      );
      expect(stored).not.toContain(next);
      expect(stored).not.toContain(current);
    });

    test('a suggested password satisfies every rule and is visible', async () => {
      await page.goto(`${api.url}/password`);
      await page.click('#suggest');
      expect(await page.getAttribute('#next', 'type')).toBe('text');
      expect((await page.inputValue('#next')).length).toBeGreaterThan(15);
      expect(await page.textContent('#summary')).toContain('Every rule');
    });

    test.each(['light', 'dark'] as const)(
      'the pages have no accessibility violation in %s colours, and fit into 320 pixels',
      async (colorScheme) => {
        const current = newPassword();
        const { person } = await addPerson(current);
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width: 320, height: 640 });
        await page.goto(`${api.url}/password`);
        await page.fill('#next', 'abc');
        expect(await violationsOf(page)).toEqual([]);
        await page.fill('#username', person);
        await page.fill('#current', current);
        await page.fill('#next', newPassword());
        const width = 'document.documentElement.scrollWidth';
        expect(await page.evaluate(width)).toBe(320);
        await page.click('button[type=submit]');
        await page.waitForSelector('.verdict.good');
        expect(await page.evaluate(width)).toBe(320);
        expect(await violationsOf(page)).toEqual([]);
      },
    );
  });
});

test('the scripts of the pages contain no package, and nothing outside model/ and their own folder', () => {
  const file = path.resolve(__dirname, '../../dist/console/assets/meta.json');
  const { inputs } = JSON.parse(readFileSync(file, 'utf8'));
  const others = Object.keys(inputs).filter((name) => !/^(model|console\/browser)\//.test(name));
  expect(others).toEqual([]);
});
