import { sql } from 'kysely';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { anyRecord, readAudit } from '../../store/audit-records';
import { findIdentity } from '../../store/people/identities';
import { linkMapping } from '../../store/people/mappings';
import type { TestApi } from '../support/api';
import { complaintsOf, describeInBrowser, startBrowser, violationsOf } from '../support/browser';
import { startProvider, type TestProvider } from '../support/identity-provider';
import { newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { newVisitor, type Visitor } from '../support/visitor';
import { companyDocument, workerSuite } from '../support/worker-suite';

/** The pages of a person about stored credentials, with a real provider, worker, OpenLDAP and PostgreSQL. */
describeWith(['slapd', 'postgres', 'temporal'], 'the applications of a person', () => {
  const applications = {
    reports: { source: 'warehouse', label: 'Monthly reports' },
    wiki: { source: 'apps', label: 'Wiki <b>' },
    till: {
      source: 'apps',
      type: 'group',
      shared: [{ group: 'tellers', identity: 'till-account' }],
    },
  };
  const suite = workerSuite((company) => ({
    ...companyDocument(company),
    applications,
    peopleGroups: { tellers: { identities: ['till-user'] } },
  }));
  const users: Record<string, Record<string, unknown>> = {};
  let provider: TestProvider;
  let api: TestApi;

  /** People who can sign in at the provider; each test takes some. */
  const people: Awaited<ReturnType<typeof addMapped>>[] = [];

  beforeAll(async () => {
    for (let count = 0; count < 8; count++) people.push(await addMapped());
    users['till-account'] = { preferred_username: 'till-account' };
    provider = await startProvider(users, { roles: [{ roles: ['person'] }] });
    api = await suite.startApi(provider.env);
  });
  afterAll(() => provider.stop());
  beforeEach(async () => {
    await suite.lockstep.database.db.deleteFrom('sign_in_guard').execute();
  });

  async function mapAccount(person: string, application: string, source: string, enabled = true) {
    const { db } = suite.lockstep.database;
    const identity = await findIdentity(db, { name: person });
    const account = identity?.accounts.find((linked) => linked.source === source);
    const link = { identityId: identity?.id ?? '', application, accountId: account?.id ?? '' };
    await linkMapping(db, { ...link, enabled }, 'test');
  }

  /** A person with an account in each source, whose password is set and stored for the reports. */
  async function addMapped() {
    const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse');
    users[person] = { preferred_username: person };
    await mapAccount(person, 'reports', 'warehouse');
    const password = newPassword();
    await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password }));
    return { person, accounts, password };
  }

  function takePerson() {
    const taken = people.pop();
    if (taken === undefined) throw new Error('Add more people in beforeAll');
    return taken;
  }

  async function signIn(visitor: Visitor, login: string, to = '/me/applications') {
    const asked = await visitor.visit(`${api.url}/sign-in?to=${encodeURIComponent(to)}`);
    return visitor.visit(`${asked.url}?login=${login}`);
  }

  /** The address of the form of an application on the page. */
  const formOf = (text: string, label: string) =>
    new RegExp(
      `href="(/me/applications/map_\\w+)\\?lang=\\w+">[^<]*<span class="sr"> \\(${label}`,
    ).exec(text)?.[1] ?? '';

  test('a person sees what is stored, and stores a password that the application confirms', async () => {
    const { person, password } = takePerson();
    await mapAccount(person, 'wiki', 'apps');
    const visitor = newVisitor();
    const before = await signIn(visitor, person);
    expect(before.status).toBe(200);
    expect(before.text).toContain('your password is stored');
    expect(before.text).toContain('the stored one changes with it');
    expect(before.text).toContain('no password is stored yet');
    const at = api.url + formOf(before.text, 'Wiki &lt;b&gt;');
    expect((await visitor.visit(at)).text).toContain('Store the password for Wiki &lt;b&gt;');
    const stored = await visitor.send(at, { password });
    expect(stored.url).toBe(`${api.url}/me/applications?lang=en&done=stored`);
    expect(stored.text.match(/your password is stored/g)).toHaveLength(2);
    const { db } = suite.lockstep.database;
    const filter = { ...anyRecord, action: 'mapping.credential-set' };
    const [record] = await readAudit(db, { filter, order: 'newest', cursor: null, limit: 1 });
    expect(record).toMatchObject({ person, actor: { agent: person }, detail: { proof: 'login' } });
  });

  test('a wrong password is refused in words, and no page or log contains it', async () => {
    const { person } = takePerson();
    const visitor = newVisitor();
    const at = api.url + formOf((await signIn(visitor, person)).text, 'Monthly reports');
    const guess = newPassword();
    expect((await visitor.send(at, { password: '' })).status).toBe(422);
    const wrong = await visitor.send(at, { password: guess });
    expect([wrong.status, wrong.text.includes('not the password that')]).toEqual([422, true]);
    const late = await visitor.send(at, { password: guess });
    expect([late.status, late.text.includes('Wait fifteen minutes')]).toEqual([429, true]);
    expect(wrong.text + late.text + api.printed()).not.toContain(guess);
  });

  test('a person switches an application off and on, and learns why the stored password is wrong', async () => {
    const { person } = takePerson();
    const visitor = newVisitor();
    const at = api.url + formOf((await signIn(visitor, person)).text, 'Monthly reports');
    const off = await visitor.send(`${at}/disable?lang=de`, {});
    expect(off.text).toContain('Die Anwendung ist abgeschaltet.');
    const id = await suite.lockstep.accept({ person, password: newPassword() });
    await suite.lockstep.readEnd(id);
    const on = await visitor.send(`${at}/enable?lang=de`, {});
    expect(on.text).toContain('das gespeicherte Passwort stimmt vielleicht nicht');
    expect(on.text).toContain('während das hier abgeschaltet war');
    const { db } = suite.lockstep.database;
    const filter = { ...anyRecord, person, action: 'mapping.disabled' };
    const [record] = await readAudit(db, { filter, order: 'newest', cursor: null, limit: 1 });
    expect(record?.actor).toMatchObject({ agent: person });
  });

  test('a person reaches no mapping of another person, and none that people share', async () => {
    const [own, other] = [takePerson(), takePerson()];
    const { db } = suite.lockstep.database;
    const visitor = newVisitor();
    await signIn(visitor, own.person);
    const { id } = await db
      .selectFrom('mapping')
      .innerJoin('identity', 'identity.id', 'mapping.identity_id')
      .where('identity.name', '=', other.person)
      .select('mapping.id')
      .executeTakeFirstOrThrow();
    const at = `${api.url}/me/applications/${id}`;
    const answers = [
      await visitor.visit(at),
      await visitor.send(at, { password: other.password }),
      await visitor.send(`${at}/disable`, {}),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);

    await sql`update identity set name = 'till-account' where name = ${other.person}`.execute(db);
    await sql`update identity set name = 'till-user' where name = ${own.person}`.execute(db);
    await mapAccount('till-account', 'till', 'apps');
    const shared = await visitor.visit(`${api.url}/me/applications`);
    expect(shared.text).toContain('You share this account with others.');
    expect(formOf(shared.text, 'till')).toBe('');
    const owner = await signIn(newVisitor(), 'till-account');
    expect(owner.text).not.toMatch(/Switch off<span class="sr"> \(till/);
  });

  describeInBrowser('in Chromium', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await startBrowser();
    });
    afterAll(() => browser.close());

    async function open(person: string, options: BrowserContextOptions) {
      const context = await browser.newContext({ locale: 'en-GB', ...options });
      const page = await context.newPage();
      const complaints = complaintsOf(page);
      await page.goto(`${api.url}/me/applications`);
      await page.click(`text="${person}"`);
      await page.waitForURL(`${api.url}/me/applications`);
      return { page, complaints };
    }

    test.each([
      { colorScheme: 'light', forcedColors: 'none' },
      { colorScheme: 'dark', forcedColors: 'active' },
    ] as const)(
      'no page has an accessibility violation or is wider than 320 pixels with %j',
      async (mode) => {
        const { person, password } = takePerson();
        const viewport = { width: 320, height: 640 };
        const { page, complaints } = await open(person, { ...mode, viewport });
        const check = async () => {
          expect(await violationsOf(page)).toEqual([]);
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
        };
        await check();
        await page.click('text="Store the password"');
        await page.waitForSelector('#password');
        await check();
        await page.fill('#password', `${password}x`);
        await page.keyboard.press('Enter');
        await page.waitForSelector('[role=alert]');
        await check();
        expect(await page.inputValue('#password')).toBe('');
        expect(complaints).toEqual([]);
        await page.context().close();
      },
    );

    test('a person stores a password by keyboard alone, without JavaScript, and no page contains it', async () => {
      const { person, password } = takePerson();
      const { page } = await open(person, { javaScriptEnabled: false });
      await page.focus('text="Store the password"');
      await page.keyboard.press('Enter');
      await page.focus('#password');
      await page.keyboard.type(password);
      await page.keyboard.press('Enter');
      await page.waitForSelector('text="The password was checked and is stored."');
      expect(page.url() + (await page.content())).not.toContain(password);
      await page.context().close();
    });
  });
});
