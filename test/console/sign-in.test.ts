import { sql } from 'kysely';
import { needRecentSignIn } from '../../api/console/step-up';
import { routes } from '../../api/routes';
import { anyRecord, readAudit } from '../../store/audit-records';
import { saveProviderUser } from '../../store/provider-users';
import { startSession } from '../../store/sessions';
import { startTestApi, type TestApi } from '../support/api';
import { startProvider, type TestProvider } from '../support/identity-provider';
import { describeWith } from '../support/servers';
import { newVisitor, type Visitor } from '../support/visitor';

const users = {
  'dora.desk': { preferred_username: 'dora.desk', name: 'Dora Desk', groups: ['it-support'] },
  'olaf.ops': { preferred_username: 'olaf.ops', name: 'Olaf Ops', groups: ['it-operations'] },
  'adam.admin': {
    preferred_username: 'adam.admin',
    name: 'Adam Admin',
    groups: ['lockstep-admins'],
  },
  'ada.marsh': { preferred_username: 'ada.marsh', groups: ['staff'] },
  'ann.audit': { name: 'Ann Audit', groups: ['internal-audit'] },
  'no.person': { preferred_username: 'no.person', groups: ['staff'] },
};

const settings = {
  title: 'Harbor Lane',
  roles: [
    { group: 'lockstep-admins', roles: ['administrator'] },
    { group: 'it-operations', roles: ['operator'] },
    { group: 'it-support', roles: ['help-desk'] },
    { group: 'internal-audit', roles: ['auditor'] },
    { group: 'staff', roles: ['person'] },
  ],
};

/** Sign-in at a real OpenID Connect provider. */
describeWith(['postgres'], 'the sign-in at the identity provider', () => {
  let provider: TestProvider;
  let api: TestApi;

  beforeAll(async () => {
    provider = await startProvider(users, settings);
    api = await startTestApi({ env: provider.env });
    await api.send('PUT', '/v1/identities/ada.marsh', { body: {} });
  });
  afterAll(async () => {
    await api.stop();
    await provider.stop();
  });

  /** Opens a page that needs a session, and clicks the user at the provider. */
  async function signIn(visitor: Visitor, login: string, to: string, again = '') {
    const asked = await visitor.visit(`${api.url}/sign-in?to=${encodeURIComponent(to)}${again}`);
    return asked.url.startsWith(api.url) ? asked : visitor.visit(`${asked.url}?login=${login}`);
  }

  test('a member of the staff signs in by a link, and has the rights of the group', async () => {
    const visitor = newVisitor();
    const page = await visitor.visit(`${api.url}/console/changes`);
    expect(page.url).toBe(`${api.url}/console/sign-in?to=%2Fconsole%2Fchanges`);
    expect(page.text).toContain('href="/sign-in?to=%2Fconsole%2Fchanges">Sign in with Harbor Lane');
    const signedIn = await signIn(visitor, 'olaf.ops', '/console/changes');
    expect([signedIn.status, signedIn.url]).toEqual([200, `${api.url}/console/changes`]);
    expect(signedIn.text).toContain('Olaf Ops');
    expect((await visitor.visit(`${api.url}/console/audit`)).status).toBe(200);
    expect((await visitor.visit(`${api.url}/console/settings`)).status).toBe(403);
  });

  test('the audit names the user and the provider, and no key list shows the user', async () => {
    await signIn(newVisitor(), 'dora.desk', '/console');
    const filter = { ...anyRecord, action: 'session.started' };
    const [record] = await readAudit(api.database.db, {
      filter,
      order: 'newest',
      cursor: null,
      limit: 1,
    });
    expect(record?.actor).toMatchObject({ agent: 'Dora Desk', issuer: provider.issuer });
    const audit = await api.send('GET', '/v1/audit?action=session.started');
    expect(audit.text).toContain(`Dora Desk, signed in at ${provider.issuer}`);
    expect((await api.send('GET', '/v1/keys')).text).not.toContain('Dora Desk');
    expect((await api.send('GET', '/v1/sessions')).text).toContain('Dora Desk');
  });

  test('no secret opens the row of a user, and no administrator can give it one', async () => {
    await signIn(newVisitor(), 'dora.desk', '/console');
    const { body } = await api.send('GET', '/v1/sessions');
    const [session] = body.sessions as { keyId: string }[];
    const rotated = await api.send('POST', `/v1/keys/${session?.keyId}/rotate`, { body: {} });
    expect(rotated.status).toBe(404);
  });

  test('a user without a role, and one who is no person here, get no session', async () => {
    const visitor = newVisitor();
    const staff = await signIn(visitor, 'ada.marsh', '/console');
    expect([staff.status, visitor.cookie(api.url, 'lockstep-session')]).toEqual([403, undefined]);
    expect(staff.text).toContain('you have no role in this console');
    const other = newVisitor();
    const person = await signIn(other, 'no.person', '/me');
    expect([person.status, other.cookie(api.url, 'lockstep-me')]).toEqual([403, undefined]);
    expect(person.text).toContain('not connected to a person');
  });

  test('a sign-in to which the provider gives no role any more ends the sessions of earlier ones', async () => {
    const { db } = api.database;
    const earlier = await saveProviderUser(db, {
      ...{ issuer: provider.issuer, subject: 'ada.marsh', name: 'Ada Marsh' },
      ...{ scopes: ['operate'], groups: null, identityId: null },
    });
    const session = { by: 'test', authenticated: 'now', detail: {} } as const;
    const cookie = `lockstep-session=${await startSession(db, earlier, session)}`;
    const open = async () => {
      const audit = `${api.url}/console/audit`;
      return (await fetch(audit, { redirect: 'manual', headers: { cookie } })).status;
    };
    expect(await open()).toBe(200);
    expect((await signIn(newVisitor(), 'ada.marsh', '/console')).status).toBe(403);
    expect(await open()).toBe(303);
  });

  test('a session that an API key started opens no page of a person', async () => {
    const body = { name: 'of ada', scopes: ['person'], identity: 'ada.marsh' };
    const { key } = (await api.send('POST', '/v1/keys', { body })).body;
    const started = await fetch(`${api.url}/console/sign-in`, {
      ...{ method: 'POST', redirect: 'manual', headers: { origin: api.url } },
      body: new URLSearchParams({ key: String(key) }),
    });
    const [, token] =
      /lockstep-session=([\w-]+)/.exec(started.headers.get('set-cookie') ?? '') ?? [];
    expect(token).toBeDefined();
    const open = async (method: string, path: string) => {
      const headers = { origin: api.url, cookie: `lockstep-me=${token}` };
      const { status } = await fetch(api.url + path, { method, redirect: 'manual', headers });
      return status;
    };
    // They lead to the sign-in at the provider, by a redirection or by a link.
    expect(await open('GET', '/me')).toBe(303);
    expect(await open('GET', '/me/password')).toBe(303);
    expect(await open('POST', '/me/password')).toBe(403);
  });

  test('a sign-in that the provider has refused leads back to the page that asked for it', async () => {
    const visitor = newVisitor();
    const asked = await visitor.visit(`${api.url}/sign-in?to=/me`);
    const state = new URL(asked.way.find((url) => url.includes('state=')) ?? '').searchParams;
    const answer = new URLSearchParams({
      ...{ error: 'access_denied', state: String(state.get('state')), iss: provider.issuer },
    });
    const failed = await visitor.visit(`${api.url}/sign-in/callback?${answer}`);
    expect(failed.text).toContain('href="/sign-in?to=%2Fme"');
  });

  test('an answer that was changed, replayed or meant for another browser starts no session', async () => {
    const visitor = newVisitor();
    const asked = await visitor.visit(`${api.url}/sign-in?to=/console`);
    const answered = await visitor.visit(`${asked.url}?login=olaf.ops`, '/sign-in/callback');
    const opened = async (who: Visitor, changes: Readonly<Record<string, string>>) => {
      const callback = new URL(answered.url);
      for (const [name, value] of Object.entries(changes)) callback.searchParams.set(name, value);
      const { status } = await who.visit(callback.href);
      return [status, who.cookie(api.url, 'lockstep-session') !== undefined];
    };
    expect(await opened(visitor, { state: 'another' })).toEqual([403, false]);
    expect(await opened(visitor, { iss: 'https://evil.example' })).toEqual([503, false]);
    expect(await opened(newVisitor(), {})).toEqual([403, false]);
    const stranger = newVisitor();
    await stranger.visit(`${api.url}/sign-in?to=/console`);
    expect(await opened(stranger, {})).toEqual([403, false]);
    // Nothing of that has used the code up.
    expect(await opened(visitor, {})).toEqual([200, true]);
    const { status } = await visitor.visit(answered.url);
    expect(status).toBe(403);
  });

  test('a sign-in leads to no page of another site', async () => {
    for (const to of [
      'https://evil.example',
      '//evil.example',
      '/consoleevil',
      '/\\evil.example',
    ]) {
      const visitor = newVisitor();
      const { url } = await signIn(visitor, 'olaf.ops', to);
      expect(url).toBe(`${api.url}/console`);
    }
  });

  test('a repeated sign-in replaces the session, so an earlier token opens nothing', async () => {
    const visitor = newVisitor();
    await signIn(visitor, 'olaf.ops', '/console');
    const earlier = visitor.cookie(api.url, 'lockstep-session');
    await signIn(visitor, 'olaf.ops', '/console');
    expect(visitor.cookie(api.url, 'lockstep-session')).not.toBe(earlier);
    const headers = { cookie: `lockstep-session=${earlier}` };
    const answer = await fetch(`${api.url}/console`, { headers, redirect: 'manual' });
    expect(answer.status).toBe(303);
  });

  test('a person who is deleted has no session, and leaves no name behind', async () => {
    const visitor = newVisitor();
    const me = await signIn(visitor, 'ada.marsh', '/me');
    expect([me.status, me.text.includes('Signed in as ada.marsh')]).toEqual([200, true]);
    expect((await api.send('GET', '/v1/sessions')).text).not.toContain('ada.marsh');
    expect((await api.send('DELETE', '/v1/identities/ada.marsh')).status).toBe(204);
    const after = await visitor.visit(`${api.url}/me`);
    expect([after.status, after.text.includes('not connected to a person')]).toEqual([403, true]);
    const keys = await api.database.db.selectFrom('api_key').select(['agent', 'name']).execute();
    expect(JSON.stringify(keys)).not.toContain('ada.marsh');
    await api.send('PUT', '/v1/identities/ada.marsh', { body: {} });
  });

  test('an administrator who signed in long ago applies no configuration, and does not lose the text', async () => {
    const visitor = newVisitor();
    await signIn(visitor, 'adam.admin', '/console/settings');
    await sql`update session set authenticated_at = now() - interval '11 minutes'`.execute(
      api.database.db,
    );
    const text = 'version: 1\npolicies:\n  strict:\n    minLength: 20\n';
    const form = { text, do: 'apply', version: '1' };
    const page = `${api.url}/console/settings`;
    const refused = await visitor.send(page, form);
    expect([refused.status, refused.text.includes('minLength: 20')]).toEqual([403, true]);
    expect(refused.text).toContain('Sign in again in a new tab');
    expect((await api.send('GET', '/v1/configuration')).body.version).toBe(0);
    await signIn(visitor, 'adam.admin', '/console/settings', '&again=1');
    const applied = await visitor.send(page, { ...form, version: '0' });
    expect(applied.url).toBe(`${page}?done=applied`);
  });

  test('an API key that is entered again counts as a recent sign-in', async () => {
    const key = await api.newKey(['admin']);
    const visitor = newVisitor();
    await visitor.send(`${api.url}/console/sign-in`, { key, to: '/console/settings' });
    await sql`update session set authenticated_at = now() - interval '11 minutes'`.execute(
      api.database.db,
    );
    const people = `${api.url}/console/people/ada.marsh/one-time-link`;
    const again = await visitor.visit(people);
    expect(again.text).toContain('<h1>Sign in again</h1>');
    const [, to = ''] = /name="to" value="([^"]*)"/.exec(again.text) ?? [];
    const back = await visitor.send(`${api.url}/console/sign-in`, { key, to });
    expect([back.status, back.url]).toEqual([200, people]);
  });

  test('every command that needs a recent sign-in is a route', () => {
    const known = routes.map(({ method, path }) => `${method} ${path}`);
    const named = needRecentSignIn.map(([method, path]) => `${method} ${path}`);
    expect(named.filter((one) => !known.includes(one))).toEqual([]);
  });

  test('an auditor starts at the audit, the only page of that role', async () => {
    const { url, status } = await signIn(newVisitor(), 'ann.audit', '/console');
    expect([url, status]).toEqual([`${api.url}/console/audit`, 200]);
  });

  test('a sign-out ends the session, and offers to sign out at the provider', async () => {
    const visitor = newVisitor();
    await signIn(visitor, 'olaf.ops', '/console');
    const out = await visitor.send(`${api.url}/console/sign-out`, {});
    expect(out.url).toBe(`${api.url}/signed-out`);
    expect(visitor.cookie(api.url, 'lockstep-session')).toBeUndefined();
    const [, end = ''] = /href="([^"]*session\/end[^"]*)"/.exec(out.text) ?? [];
    const address = new URL(end.replaceAll('&amp;', '&'));
    expect(address.origin).toBe(provider.issuer);
    expect([...address.searchParams.keys()].sort()).toEqual([
      'client_id',
      'post_logout_redirect_uri',
    ]);
    expect((await visitor.visit(address.href)).status).toBe(200);
  });

  test('an administrator ends every session of a user by revoking the key of the session', async () => {
    const visitor = newVisitor();
    await signIn(visitor, 'adam.admin', '/console');
    expect((await visitor.visit(`${api.url}/console/keys`)).status).toBe(200);
    const { body } = await api.send('GET', '/v1/sessions');
    const found = (body.sessions as { keyId: string; keyName: string }[]).find(
      ({ keyName }) => keyName === 'Adam Admin',
    );
    expect((await api.send('DELETE', `/v1/keys/${found?.keyId}`)).status).toBe(204);
    expect((await visitor.visit(`${api.url}/console/keys`)).url).toContain('/console/sign-in');
  });
});
