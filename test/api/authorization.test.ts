import http from 'node:http';
import { sql } from 'kysely';
import type { Route } from '../../api/http/route';
import { routes } from '../../api/routes';
import { speaksScim } from '../../api/scim/errors';
import { accountRulesOf } from '../../connectors/registry';
import { type Scope, scopeNames, scopes, scopesWith } from '../../model/api/scopes';
import { type ErrorCode, errors } from '../../model/errors';
import { createApiKey, revokeApiKey, rotateApiKey } from '../../store/api-keys';
import { applyConfiguration } from '../../store/configuration/versions';
import { type Reply, startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration, testConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { rightsTable } from './rights';

const PASSWORD = 'correct horse battery staple 12';

/** What the key of a caller is besides its scopes. */
type More = Partial<Parameters<typeof createApiKey>[1]>;

/** Kinds of keys with scopes of their own, and what else they are. */
const kindsOfKeys: Readonly<Record<string, readonly [scopes: readonly Scope[], more: More]>> = {
  'change-own of one person': [['change-own'], { identityId: 'idn_of_alice' }],
  'change-own in a group': [['change-own'], { groups: ['one-password'] }],
  'help-desk of an agent': [['help-desk'], { agent: 'Mary Jones' }],
  'help-desk of an agent in a group': [
    ['help-desk'],
    { agent: 'Mary Jones', groups: ['one-password'] },
  ],
  'read in a group that does not exist': [['read'], { groups: ['nothing'] }],
  'relay-enrol for a source': [['relay-enrol'], { source: 'nothing' }],
  'adapter of a source': [['adapter'], { source: 'nothing' }],
  'read until tomorrow': [['read'], { expiresAt: new Date(Date.now() + 86_400_000) }],
};

/** Callers, and the scopes that the key of each one has. `unauthenticated` stands for a caller without a valid key. */
const callers: Readonly<Record<string, readonly Scope[] | 'unauthenticated'>> = {
  'no key': 'unauthenticated',
  'an unknown key': 'unauthenticated',
  'a key with a wrong secret': 'unauthenticated',
  'a revoked key': 'unauthenticated',
  'an expired key': 'unauthenticated',
  'a revoked key in its previous secret': 'unauthenticated',
  'a secret that a rotation has replaced': 'unauthenticated',
  'a previous secret after its time': 'unauthenticated',
  'a secret from an earlier rotation': 'unauthenticated',
  'a key in another scheme': 'unauthenticated',
  ...Object.fromEntries(scopeNames.map((scope) => [scope, [scope]])),
  'trigger and read': ['trigger', 'read'],
  'read, in the previous secret': ['read'],
  'read, in the secret of a rotation': ['read'],
  ...Object.fromEntries(Object.entries(kindsOfKeys).map(([who, [scopes]]) => [who, scopes])),
  'an unknown scope': ['a scope of a later release' as Scope],
};

describeWith(['postgres'], 'authorization', () => {
  let api: TestApi;
  const headers: Record<string, Record<string, string>> = {};

  beforeAll(async () => {
    api = await startTestApi();
    const { db } = api.database;
    await applyTestConfiguration(db);
    await addPerson(db, 'alice');
    await addPerson(db, 'bob', ['ledger', 'vault']);
    await addPerson(db, 'carol', ['directory', 'ledger']);
    const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
    const admin = await api.newKey(['admin']);
    const keyWith = (scopes: readonly Scope[], more: More = {}) => {
      const key = { name: 'x', scopes, groups: null, expiresAt: null };
      return createApiKey(db, { ...key, ...more }, 'test');
    };
    const rotated = async (id: string, keepSeconds: number) =>
      (await rotateApiKey(db, id, keepSeconds, 'test'))?.key ?? '';
    const revoked = await keyWith(['admin']);
    await revokeApiKey(db, revoked.id, 'test');
    const expired = await keyWith(['admin'], { expiresAt: new Date(Date.now() - 1000) });
    const revokedLater = await keyWith(['admin']);
    await rotated(revokedLater.id, 3_600);
    await revokeApiKey(db, revokedLater.id, 'test');
    const replaced = await keyWith(['admin']);
    await rotated(replaced.id, 0);
    const late = await keyWith(['admin']);
    await rotated(late.id, 3_600);
    await sql`update api_key set previous_until = now() where id = ${late.id}`.execute(db);
    const twice = await keyWith(['admin']);
    await rotated(twice.id, 3_600);
    await rotated(twice.id, 3_600);
    const kept = await keyWith(['read']);
    Object.assign(headers, {
      'no key': {},
      'an unknown key': bearer(`lks_${'0'.repeat(26)}_${'A'.repeat(43)}`),
      'a key with a wrong secret': bearer(`${admin.slice(0, -4)}AAAA`),
      'a revoked key': bearer(revoked.key),
      'an expired key': bearer(expired.key),
      'a revoked key in its previous secret': bearer(revokedLater.key),
      'a secret that a rotation has replaced': bearer(replaced.key),
      'a previous secret after its time': bearer(late.key),
      'a secret from an earlier rotation': bearer(twice.key),
      'read, in the previous secret': bearer(kept.key),
      'read, in the secret of a rotation': bearer(await rotated(kept.id, 3_600)),
      'a key in another scheme': { authorization: `Basic ${admin}` },
    });
    for (const [who, [scopes, more]] of Object.entries(kindsOfKeys))
      headers[who] = bearer((await keyWith(scopes, more)).key);
    for (const [who, scopes] of Object.entries(callers))
      if (scopes !== 'unauthenticated') headers[who] ??= bearer(await api.newKey(scopes));
  });
  afterAll(() => api.stop());

  const addressOf = ({ path }: Route) => path.replaceAll(/\{\w+\}/g, 'nothing');

  const keyOf = ({ method, path }: Route) => `${method.toUpperCase()} ${path}`;

  test('the table of rights has exactly the routes that exist', () => {
    expect(Object.keys(rightsTable).sort()).toEqual(routes.map(keyOf).sort());
  });

  test('every caller of the matrix has a key of its own', () => {
    expect(Object.keys(headers).sort()).toEqual(Object.keys(callers).sort());
    const sent = Object.values(headers).map(({ authorization = '' }) => authorization);
    expect(new Set(sent).size).toBe(sent.length);
  });

  test('every right of a route is in a scope, and every scope has the rights of a route only', () => {
    // All routes of the lookup service need this one.
    const rights = new Set([...routes.map(({ right }) => right), 'look-up']);
    const given = new Set(Object.values(scopes).flatMap((scope) => scope.rights));
    expect([...given].sort()).toEqual([...rights].sort());
  });

  test('an answer to a key that is not valid does not show whether the key was ever valid', async () => {
    const answers = Object.entries(callers)
      .filter(([who, scopes]) => scopes === 'unauthenticated' && who !== 'no key')
      .filter(([who]) => who !== 'a key in another scheme')
      .map(async ([who]) => {
        const reply = await api.send('GET', '/v1/keys', { key: null, headers: headers[who] ?? {} });
        return comparable(reply);
      });
    const [first, ...others] = await Promise.all(answers);
    for (const other of others) expect(other).toEqual(first);
  });

  /** The parts of an answer that do not vary from request to request. */
  const comparable = ({ status, headers: all, body: { requestId: _, ...body } }: Reply) => {
    const names = [...all.keys()].filter((name) => name !== 'date');
    return { status, body, names, length: all.get('content-length') };
  };

  const isAllowed = (route: Route, held: readonly Scope[]) => {
    const allowed = ['admin', ...(rightsTable[keyOf(route)]?.split(' ') ?? [])];
    return held.some((scope) => allowed.includes(scope));
  };

  describe.each(
    routes.map((route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const),
  )('%s', (_title, route) => {
    test.each(Object.entries(callers))(
      'the route answers a caller with %s by the scopes of the key',
      async (who, held) => {
        const reply = await api.send(route.method.toUpperCase(), addressOf(route), {
          key: null,
          headers: headers[who] ?? {},
        });
        const problem = (code: ErrorCode) =>
          speaksScim(route.path)
            ? { detail: expect.stringContaining(errors[code].says) }
            : { code };
        if (held === 'unauthenticated') {
          expect([reply.status, reply.body]).toMatchObject([401, problem('unauthenticated')]);
          expect(reply.headers.get('www-authenticate')).toBe(
            ['no key', 'a key in another scheme'].includes(who)
              ? 'Bearer'
              : 'Bearer error="invalid_token"',
          );
        } else if (!isAllowed(route, held)) {
          expect([reply.status, reply.body]).toMatchObject([403, problem('forbidden')]);
          const missing = scopesWith(route.right);
          expect(reply.body.detail).toContain(missing.join(' or '));
          expect(reply.headers.get('www-authenticate')).toBe(
            `Bearer error="insufficient_scope", scope="${missing[0]}"`,
          );
        }
        // No source has SCIM enabled here, so an authorised caller also gets 403, but for another reason.
        else if (speaksScim(route.path)) {
          expect(reply.status).not.toBe(401);
          expect(reply.body).not.toMatchObject(problem('forbidden'));
        } else expect([401, 403]).not.toContain(reply.status);
      },
    );
  });

  test('a request with two Authorization headers is rejected, whatever they are', async () => {
    const { hostname, port } = new URL(api.url);
    const lines = [`Bearer ${api.adminKey()}`, 'Bearer x'];
    for (const authorization of [lines, lines.toReversed(), [lines[0], lines[0]]]) {
      const { status, challenge } = await new Promise<{ status?: number; challenge?: string }>(
        (resolve, reject) =>
          http
            .get(
              { hostname, port, path: '/v1/keys', headers: { authorization } as never },
              (reply) => {
                reply.resume();
                resolve({
                  status: reply.statusCode,
                  challenge: reply.headers['www-authenticate'],
                });
              },
            )
            .on('error', reject),
      );
      expect([status, challenge]).toEqual([400, 'Bearer error="invalid_request"']);
    }
  });

  test('an unauthenticated request is rejected before its body is read, and nothing of the body is logged', async () => {
    const body = Buffer.from(`{"password":"${'canary'.repeat(100)}`);
    const reply = await api.send('POST', '/v1/changes', { key: null, body });
    expect(reply.status).toBe(401);
    expect(reply.text).not.toContain('canary');
    expect(api.printed()).not.toContain('canary');
  });

  test('no log line contains an API key', () => {
    for (const header of Object.values(headers)) {
      const secret = header.authorization?.split('_').at(-1) ?? '';
      if (secret.length > 20) expect(api.printed()).not.toContain(secret);
    }
  });

  describe('a key that is bound to groups', () => {
    let bound: string;
    const start = (identity: string, key: string, more: object = {}) =>
      api.send('POST', '/v1/changes', { key, body: { identity, password: PASSWORD, ...more } });

    beforeAll(async () => {
      bound = await api.newKey(['trigger', 'read'], ['one-password']);
    });

    test('a source that finds accounts by correlation does not show a bound key who exists', async () => {
      const correlating = Object.fromEntries(
        Object.entries(testConfiguration.sources).map(([name, source]) => [
          name,
          { ...source, correlate: [{ uid: 'name' }] },
        ]),
      );
      const { db } = api.database;
      const before = { ...testConfiguration, sources: correlating };
      await applyConfiguration(db, before, 1, 'test', accountRulesOf);
      for (const path of ['/v1/changes', '/v1/changes/plan'])
        for (const more of [{}, { group: 'one-password' }, { group: 'finance' }]) {
          const reply = (identity: string) =>
            api.send('POST', path, { key: bound, body: { identity, password: PASSWORD, ...more } });
          expect(comparable(await reply('bob'))).toEqual(comparable(await reply('nobody')));
        }
      await applyConfiguration(db, testConfiguration, 2, 'test', accountRulesOf);
    });

    test('a bound key of the help desk sees people of its groups only, and only their accounts there', async () => {
      const desk = await api.newKey(['help-desk'], ['one-password']);
      const { body } = await api.send('GET', '/v1/identities', { key: desk });
      const people = body.identities as { name: string; accounts: { source: string }[] }[];
      expect(people.map(({ name }) => name)).toEqual(['alice', 'carol']);
      expect(people[1]?.accounts.map(({ source }) => source)).toEqual(['directory']);
      const carol = await api.send('GET', '/v1/identities/carol', { key: desk });
      expect(carol.text).not.toContain('ledger');
      const read = (name: string) => api.send('GET', `/v1/identities/${name}`, { key: desk });
      expect(comparable(await read('bob'))).toEqual(comparable(await read('nobody')));
    });

    test('a bound key can change people of its groups', async () => {
      expect((await start('alice', bound)).status).toBe(202);
    });

    test.each([
      ['a person in another group', 'bob', {}],
      ['a person in another group, naming that group', 'bob', { group: 'finance' }],
      ['a person in both groups, naming the other one', 'carol', { group: 'finance' }],
    ])('the answer for %s is the same as for an unknown person', async (_what, identity, more) => {
      expect(comparable(await start(identity, bound, more))).toEqual(
        comparable(await start('nobody', bound, more)),
      );
      const plan = (who: string) =>
        api.send('POST', '/v1/changes/plan', { key: bound, body: { identity: who, ...more } });
      expect(comparable(await plan(identity))).toEqual(comparable(await plan('nobody')));
      const account = { source: 'ledger', name: identity };
      const byAccount = (wanted: object) =>
        start('', bound, { identity: undefined, account: wanted, ...more });
      expect(comparable(await byAccount(account))).toEqual(
        comparable(await byAccount({ ...account, name: 'nobody' })),
      );
    });

    test('a bound key need not name the only group that it may change', async () => {
      expect((await start('carol', bound)).body).toMatchObject({ groups: ['one-password'] });
    });

    test('changes of other groups do not exist for a bound key', async () => {
      const { body } = await start('bob', api.adminKey());
      for (const [method, path] of [
        ['GET', ''],
        ['GET', '?wait=1'],
        ['GET', '/events'],
        ['GET', '/audit'],
        ['POST', '/cancel'],
        ['POST', '/retry'],
        ['POST', '/park'],
      ] as const)
        expect(
          comparable(await api.send(method, `/v1/changes/${body.id}${path}`, { key: bound })),
        ).toEqual(
          comparable(await api.send(method, `/v1/changes/chg_nothing${path}`, { key: bound })),
        );
      const list = await api.send('GET', '/v1/changes?identity=bob', { key: bound });
      expect(list.body.changes).toEqual([]);
    });

    test('a bound key cannot reach another group that shares the auth source through its own changes', async () => {
      const { groups } = testConfiguration;
      const finance = {
        policy: 'finance',
        authSource: 'directory',
        sources: ['ledger', 'vault'],
        failureMode: 'continue' as const,
      };
      const shared = { ...testConfiguration, groups: { ...groups, finance } };
      await applyConfiguration(api.database.db, shared, 3, 'test', accountRulesOf);
      expect((await start('carol', bound)).body).toMatchObject({ code: 'identity_unknown' });
      const both = await api.newKey(['trigger', 'read'], ['one-password', 'finance']);
      const { body } = await start('carol', both);
      expect(new Set(body.groups as string[])).toEqual(new Set(['one-password', 'finance']));
      expect((await api.send('GET', `/v1/changes/${body.id}`, { key: bound })).status).toBe(200);
      const cancel = await api.send('POST', `/v1/changes/${body.id}/cancel`, { key: bound });
      expect(cancel.body).toMatchObject({ status: 403, code: 'forbidden' });
      await applyConfiguration(api.database.db, testConfiguration, 4, 'test', accountRulesOf);
    });

    test('a bound key sees only the sources of its groups', async () => {
      const { body } = await api.send('GET', '/v1/sources', { key: bound });
      const names = (body.sources as { name: string }[]).map(({ name }) => name);
      expect(names).toEqual(['crm', 'directory', 'warehouse']);
    });
  });

  test('a revoked key is rejected from the next request on', async () => {
    const { body } = await api.send('POST', '/v1/keys', {
      body: { name: 'short', scopes: ['read'] },
    });
    const key = String(body.key);
    expect((await api.send('GET', '/v1/changes', { key })).status).toBe(200);
    expect((await api.send('DELETE', `/v1/keys/${body.id}`)).status).toBe(204);
    expect((await api.send('GET', '/v1/changes', { key })).status).toBe(401);
  });
});
