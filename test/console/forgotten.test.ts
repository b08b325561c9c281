import path from 'node:path';
import { sql } from 'kysely';
import type { Browser, Page } from 'playwright-core';
import { revokeApiKey } from '../../store/api-keys';
import { anyRecord, readAudit } from '../../store/audit-records';
import type { TestApi } from '../support/api';
import { complaintsOf, describeInBrowser, startBrowser, violationsOf } from '../support/browser';
import { startProvider, type TestProvider } from '../support/identity-provider';
import { holders, newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { newVisitor, type Visitor } from '../support/visitor';
import { workerSuite } from '../support/worker-suite';

/** How a person who has forgotten the password gets a new one, with a real provider, worker, OpenLDAP and PostgreSQL. */
describeWith(['slapd', 'postgres', 'temporal'], 'a person without the current password', () => {
  const suite = workerSuite();
  const users: Record<string, Record<string, unknown>> = {};
  let provider: TestProvider;
  let api: TestApi;
  /** Of an agent of the help desk. */
  let key: string;
  let person: string;
  let accounts: Awaited<ReturnType<typeof suite.addPerson>>['accounts'];

  beforeAll(async () => {
    ({ person, accounts } = await suite.addPerson('directory', 'apps', 'crm'));
    users[person] = { preferred_username: person };
    users['dora.desk'] = { name: 'Dora Desk', groups: ['it-support'] };
    provider = await startProvider(users, {
      roles: [{ group: 'it-support', roles: ['help-desk'] }, { roles: ['person'] }],
    });
    const file = path.join(suite.lockstep.keyDir, 'console-key');
    api = await suite.startApi({ ...provider.env, LOCKSTEP_CONSOLE_KEY_FILE: file });
    key = await api.newKey(['help-desk']);
  });
  afterAll(() => provider.stop());

  async function signIn(visitor: Visitor, login: string, to: string) {
    const asked = await visitor.visit(`${api.url}/sign-in?to=${encodeURIComponent(to)}`);
    return asked.url.startsWith(api.url) ? asked : visitor.visit(`${asked.url}?login=${login}`);
  }

  /** Makes every session look as if its user had signed in an hour ago. */
  const letSessionsAge = () =>
    sql`update session set authenticated_at = now() - interval '1 hour'`.execute(
      suite.lockstep.database.db,
    );

  const makeLink = async (key: string, more: object = {}) => {
    const body = { check: 'called-back', reason: 'ticket 4711', ...more };
    const path = `/v1/identities/${person}/one-time-link`;
    const made = await api.send('POST', path, { key, body });
    return { ...made, code: String(made.body.code) };
  };

  const enter = (visitor: Visitor, code: string) =>
    visitor.send(`${api.url}/password/link`, { code });

  const setPassword = (visitor: Visitor, next: string) =>
    visitor.send(`${api.url}/password/new`, { next });

  const settled = async () => {
    const { rows } = await sql<{ open: number }>`
      select count(*)::int as open from change where ended_at is null`.execute(
      suite.lockstep.database.db,
    );
    return rows[0]?.open === 0;
  };
  afterEach(() => until(settled));

  describe('who signs in at the provider', () => {
    test('sets a new one, and sees the own accounts and changes', async () => {
      const visitor = newVisitor();
      const form = await signIn(visitor, person, '/me/password');
      expect([form.status, form.url]).toEqual([200, `${api.url}/me/password`]);
      expect(form.text).not.toContain('name="current"');
      const next = newPassword();
      const progress = await visitor.send(`${api.url}/me/password`, { next });
      expect(progress.url).toMatch(/\/me\/changes\/chg_\w+\?lang=en$/);
      await until(async () =>
        (await visitor.visit(progress.url)).text.includes('works everywhere'),
      );
      expect(await holders(accounts, next)).toEqual([true, true, true]);
      const me = await visitor.visit(`${api.url}/me`);
      expect(me.text.match(/has your newest password/g)).toHaveLength(3);
      expect(me.text).toContain('</a>: done</li>');
      const [, id] = /(chg_\w+)/.exec(progress.url) ?? [];
      const read = await api.send('GET', `/v1/changes/${id}`, { key });
      expect(read.body).toMatchObject({ requestedBy: person });
    });

    test('has to sign in again after some minutes, and a form that comes later changes nothing', async () => {
      const visitor = newVisitor();
      await signIn(visitor, person, '/me/password');
      await letSessionsAge();
      const late = await visitor.send(`${api.url}/me/password`, { next: newPassword() });
      expect(late.status).toBe(403);
      expect(late.text).toContain('href="/sign-in?to=%2Fme%2Fpassword&amp;again=1"');
      expect(await settled()).toBe(true);
      const again = await visitor.visit(`${api.url}/me/password`);
      expect(again.way.some((url) => /\/auth\?.*max_age=600/.test(url))).toBe(true);
      expect([again.status, again.url]).toEqual([200, `${api.url}/me/password`]);
    });

    test('sees the own sessions in other browsers, and ends them', async () => {
      const { db } = suite.lockstep.database;
      const [here, there, stranger] = [newVisitor(), newVisitor(), newVisitor()];
      await sql`update session set ended_at = now() where ended_at is null`.execute(db);
      await signIn(here, person, '/me');
      const alone = await here.visit(`${api.url}/me`);
      expect(alone.text).toContain('You are signed in only in this browser.');
      await signIn(there, person, '/me');
      const shown = await here.visit(`${api.url}/me`);
      const ids = [...shown.text.matchAll(/\/me\/sessions\/(ses_\w+)\/end/g)].map(([, id]) => id);
      expect(ids).toHaveLength(1);
      const end = `${api.url}/me/sessions/${ids[0]}/end?lang=en`;
      const other = await suite.addPerson('directory');
      users[other.person] = { preferred_username: other.person };
      await signIn(stranger, other.person, '/me');
      await stranger.send(end, {});
      expect((await there.visit(`${api.url}/me`)).way).toHaveLength(1);
      for (const _twice of [1, 2]) {
        const ended = await here.send(end, {});
        expect([ended.status, ended.url]).toEqual([200, `${api.url}/me?lang=en`]);
        expect(ended.text).toContain('You are signed in only in this browser.');
      }
      // The provider is asked again.
      expect((await there.visit(`${api.url}/me`)).way.length).toBeGreaterThan(1);
      const filter = { ...anyRecord, action: 'session.ended' };
      const records = await readAudit(db, { filter, order: 'newest', cursor: null, limit: 9 });
      expect(records.filter(({ subject }) => subject === ids[0])).toHaveLength(1);
    });

    test('reads about the page that cannot be shown, and not about passwords', async () => {
      const visitor = newVisitor();
      await signIn(visitor, person, '/me/applications');
      const none = await visitor.visit(`${api.url}/me/applications/map_none`);
      expect(none.status).toBe(404);
      expect(none.text).toContain('<h1>My applications</h1>');
      expect(none.text).not.toMatch(/<h1>Change your password|Passwords cannot/);
    });

    test('finds the sign-in on the page that asks for the current password', async () => {
      const form = await newVisitor().visit(`${api.url}/password`);
      expect([form.status, form.text.includes('href="/me/password?lang=en"')]).toEqual([200, true]);
    });

    test('opens no change of another person', async () => {
      const other = await suite.addPerson('directory');
      const id = await suite.lockstep.accept({ person: other.person, password: newPassword() });
      await suite.lockstep.readEnd(id);
      const visitor = newVisitor();
      await signIn(visitor, person, '/me');
      for (const path of [`/me/changes/${id}`, `/me/changes/${id}/events`])
        expect((await visitor.visit(api.url + path)).status).toBe(404);
    });
  });

  describe('whom the help desk helps', () => {
    test('sets a new one with the link, once, and the agent never learns it', async () => {
      const agent = newVisitor();
      const page = `${api.url}/console/people/${person}/one-time-link`;
      const form = await signIn(agent, 'dora.desk', new URL(page).pathname);
      expect([form.status, form.url]).toEqual([200, page]);
      const unchecked = await agent.send(page, { check: '', reason: 'ticket 4711' });
      expect(unchecked.status).toBe(422);
      const made = await agent.send(page, { check: 'called-back', reason: 'ticket 4711' });
      const [link = '', code = ''] = /http[^<#]+#([0-9A-Z-]{19})/.exec(made.text) ?? [];
      expect([made.status, link]).toEqual([200, `${api.url}/password/link#${code}`]);
      const again = await agent.visit(made.url);
      expect(again.text).toContain('The link was shown once');
      expect(again.text).not.toContain(code);

      const visitor = newVisitor();
      const opened = await enter(visitor, code.toLowerCase().replaceAll('-', ' '));
      expect([opened.status, opened.url]).toEqual([200, `${api.url}/password/new?lang=en`]);
      expect(opened.text).toContain(person);
      const next = newPassword();
      const progress = await setPassword(visitor, next);
      expect(progress.url).toMatch(/\/password\/changes\/chg_\w+/);
      await until(async () =>
        (await visitor.visit(progress.url)).text.includes('works everywhere'),
      );
      expect(await holders(accounts, next)).toEqual([true, true, true]);

      const second = newVisitor();
      expect((await enter(second, code)).status).toBe(422);
      expect((await setPassword(visitor, newPassword())).status).toBe(422);
      const { db } = suite.lockstep.database;
      const filter = { ...anyRecord, action: 'one-time-link' };
      const records = await readAudit(db, { filter, order: 'newest', cursor: null, limit: 9 });
      expect(records).toMatchObject([
        { action: 'one-time-link.used', person },
        {
          action: 'one-time-link.created',
          person,
          actor: { agent: 'Dora Desk' },
          detail: { check: 'called-back', reason: 'ticket 4711', delivery: 'agent' },
        },
      ]);
      const { rows } = await sql<{ all: string }>`
        select string_agg(l::text, ' ') as all from one_time_link l`.execute(db);
      expect(rows[0]?.all).not.toContain(code);
      expect(JSON.stringify(records)).not.toContain(code);
    });

    test('keeps the link after a password that a rule or the auth account refuses', async () => {
      const { code } = await makeLink(key);
      const visitor = newVisitor();
      await enter(visitor, code);
      const short = await setPassword(visitor, 'abc');
      expect([short.status, short.text.includes('at least 7 characters')]).toEqual([422, true]);
      await suite.company.directories.directory.replace(
        { ref: { name: accounts[0]?.name ?? '', nativeId: null }, password: '', key: '' },
        'pwdPolicySubentry',
        await suite.company.directories.directory.addPolicy({
          pwdCheckQuality: '2',
          pwdMinLength: '40',
        }),
      );
      const refused = await setPassword(visitor, newPassword());
      expect([refused.status, refused.text.includes('wants a longer password')]).toEqual([
        422,
        true,
      ]);
      const long = `${newPassword()}${newPassword()}${newPassword()}`;
      const progress = await setPassword(visitor, long);
      expect(progress.url).toMatch(/\/password\/changes\//);
      expect((await enter(newVisitor(), code)).status).toBe(422);
    });

    test.each([
      ['a newer link', async () => void (await makeLink(key))],
      [
        'a change of the person',
        async () => {
          const password = `${newPassword()}${newPassword()}${newPassword()}`;
          await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password }));
        },
      ],
      [
        'its time',
        async () =>
          void (await sql`update one_time_link set expires_at = now()`.execute(
            suite.lockstep.database.db,
          )),
      ],
    ])('gets nothing with a link that %s has ended', async (_what, end) => {
      const { code } = await makeLink(key);
      const visitor = newVisitor();
      expect((await enter(visitor, code)).status).toBe(200);
      await end();
      expect((await enter(newVisitor(), code)).status).toBe(422);
      expect((await setPassword(visitor, newPassword())).status).toBe(422);
    });

    test('gets nothing with a link whose agent has lost the key', async () => {
      const lost = await api.newKey(['help-desk']);
      const { code } = await makeLink(lost);
      expect((await enter(newVisitor(), code)).status).toBe(200);
      await revokeApiKey(suite.lockstep.database.db, `key_${lost.split('_')[1]}`, 'test');
      expect((await enter(newVisitor(), code)).status).toBe(422);
    });

    test('gets nothing with a link whose agent has a key that has expired', async () => {
      const ending = await api.newKey(['help-desk']);
      const { code } = await makeLink(ending);
      expect((await enter(newVisitor(), code)).status).toBe(200);
      const id = `key_${ending.split('_')[1]}`;
      await sql`update api_key set expires_at = now() where id = ${id}`.execute(
        suite.lockstep.database.db,
      );
      expect((await enter(newVisitor(), code)).status).toBe(422);
    });

    test('changes the password once with two forms at the same moment', async () => {
      const { code } = await makeLink(key);
      const visitor = newVisitor();
      await enter(visitor, code);
      const long = () => `${newPassword()}${newPassword()}${newPassword()}`;
      const changesSoFar = async () => {
        const { db } = suite.lockstep.database;
        return (await db.selectFrom('change').select('id').execute()).length;
      };
      const before = await changesSoFar();
      const answers = await Promise.all([
        setPassword(visitor, long()),
        setPassword(visitor, long()),
      ]);
      const started = answers.filter(({ url }) => url.includes('/password/changes/'));
      expect(started).toHaveLength(1);
      expect(await changesSoFar()).toBe(before + 1);
    });

    test('is not helped without a check of the caller, or by an agent of other groups', async () => {
      expect((await makeLink(key, { check: 'none' })).status).toBe(400);
      expect((await makeLink(key, { check: 'other' })).status).toBe(400);
      const elsewhere = await api.newKey(['help-desk'], ['no-such-group']);
      expect((await makeLink(elsewhere)).status).toBe(404);
    });

    test('an agent has to sign in again after some minutes', async () => {
      const agent = newVisitor();
      const page = `/console/people/${person}/one-time-link`;
      await signIn(agent, 'dora.desk', page);
      await letSessionsAge();
      const late = await agent.send(api.url + page, { check: 'video', reason: 'ticket 1' });
      expect([late.status, late.text.includes('Nothing was done.')]).toEqual([403, true]);
      expect(agent.cookie(api.url, 'lockstep-handed')).toBeDefined();
      const asked = await agent.visit(api.url + page);
      expect(new URL(asked.url).search).toBe(`?${new URLSearchParams({ to: page, again: '1' })}`);
    });

    describeInBrowser('in Chromium', () => {
      let browser: Browser;
      let page: Page;
      beforeAll(async () => {
        browser = await startBrowser();
      });
      afterAll(() => browser.close());

      test('opens the link, and neither the address nor the page has the code then', async () => {
        const { code } = await makeLink(key);
        page = await browser.newPage({ locale: 'en-GB' });
        const complaints = complaintsOf(page);
        await page.setViewportSize({ width: 320, height: 640 });
        await page.goto(`${api.url}/password/link#${code}`);
        await page.waitForURL(/\/password\/new/);
        expect(await page.getAttribute('#username', 'readonly')).toBe('');
        expect(
          await page.evaluate('location.href + document.documentElement.outerHTML'),
        ).not.toContain(code);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
        expect(await violationsOf(page)).toEqual([]);
        await page.goto(`${api.url}/password/link`);
        expect(await violationsOf(page)).toEqual([]);
        expect(complaints).toEqual([]);
        await page.context().close();
      });

      test('signs in at the provider by a link, and the own pages are accessible', async () => {
        page = await browser.newPage({ locale: 'en-GB' });
        const complaints = complaintsOf(page);
        await page.setViewportSize({ width: 320, height: 640 });
        await page.goto(`${api.url}/me`);
        await page.click(`text="${person}"`);
        await page.waitForURL(`${api.url}/me`);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
        expect(await violationsOf(page)).toEqual([]);
        await page.click('text="Change my password"');
        expect(await violationsOf(page)).toEqual([]);
        await page.click('text="Sign out"');
        await page.waitForURL(`${api.url}/signed-out?lang=en`);
        expect(await violationsOf(page)).toEqual([]);
        expect(complaints).toEqual([]);
        await page.context().close();
      });
    });
    test('has to wait after many wrong codes from one address, so no code is guessed', async () => {
      const { code } = await makeLink(key);
      const guess = async (count: number) => {
        const { status } = await enter(newVisitor(), `0000-0000-0000-${1000 + count}`);
        return status;
      };
      const answers: number[] = [];
      for (let count = 0; count < 31; count++) answers.push(await guess(count));
      expect(new Set(answers)).toEqual(new Set([422, 429]));
      expect(answers.at(-1)).toBe(429);
      expect((await enter(newVisitor(), code)).status).toBe(429);
    });
  });
});
