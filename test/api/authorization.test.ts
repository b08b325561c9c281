import type { Route } from '../../api/http/route';
import { routes } from '../../api/routes';
import { speaksScim } from '../../api/scim/errors';
import { accountRulesOf } from '../../connectors/registry';
import { type ErrorCode, errors } from '../../model/errors';
import { createApiKey, revokeApiKey } from '../../store/api-keys';
import { applyConfiguration } from '../../store/configuration/versions';
import type { Scope } from '../../store/tables';
import { type Reply, startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration, testConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';

const PASSWORD = 'correct horse battery staple 12';

/** Callers, and the scopes that the key of each one has. `unauthenticated` stands for a caller without a valid key. */
const callers: Readonly<Record<string, readonly Scope[] | 'unauthenticated'>> = {
  'no key': 'unauthenticated',
  'an unknown key': 'unauthenticated',
  'a key with a wrong secret': 'unauthenticated',
  'a revoked key': 'unauthenticated',
  'an expired key': 'unauthenticated',
  'a key in another scheme': 'unauthenticated',
  trigger: ['trigger'],
  capture: ['capture'],
  read: ['read'],
  'trigger and read': ['trigger', 'read'],
  relay: ['relay'],
  'sign-in': ['sign-in'],
  admin: ['trigger', 'capture', 'sign-in', 'read', 'admin', 'relay'],
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
    const revoked = await createApiKey(
      db,
      { name: 'x', scopes: ['admin'], groups: null, expiresAt: null },
      'test',
    );
    await revokeApiKey(db, revoked.id, 'test');
    const expiresAt = new Date(Date.now() - 1000);
    const expired = await createApiKey(
      db,
      { name: 'x', scopes: ['admin'], groups: null, expiresAt },
      'test',
    );
    Object.assign(headers, {
      'no key': {},
      'an unknown key': bearer(`lks_${'0'.repeat(26)}_${'A'.repeat(43)}`),
      'a key with a wrong secret': bearer(`${admin.slice(0, -4)}AAAA`),
      'a revoked key': bearer(revoked.key),
      'an expired key': bearer(expired.key),
      'a key in another scheme': { authorization: `Basic ${admin}` },
      trigger: bearer(await api.newKey(['trigger'])),
      capture: bearer(await api.newKey(['capture'])),
      'sign-in': bearer(await api.newKey(['sign-in'])),
      read: bearer(await api.newKey(['read'])),
      'trigger and read': bearer(await api.newKey(['trigger', 'read'])),
      relay: bearer(await api.newKey(['relay'])),
      admin: bearer(admin),
    });
  });
  afterAll(() => api.stop());

  const addressOf = ({ path }: Route) => path.replaceAll(/\{\w+\}/g, 'nothing');

  test('every route has a scope', () => {
    expect(
      routes.filter(
        ({ scope }) => !['trigger', 'capture', 'sign-in', 'read', 'admin', 'relay'].includes(scope),
      ),
    ).toEqual([]);
  });

  describe.each(
    routes.map((route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const),
  )('%s', (_title, route) => {
    test.each(Object.entries(callers))(
      'the route answers a caller with %s by the scopes of the key',
      async (who, scopes) => {
        const reply = await api.send(route.method.toUpperCase(), addressOf(route), {
          key: null,
          headers: headers[who] ?? {},
        });
        const problem = (code: ErrorCode) =>
          speaksScim(route.path) ? { detail: errors[code].says } : { code };
        if (scopes === 'unauthenticated') {
          expect([reply.status, reply.body]).toMatchObject([401, problem('unauthenticated')]);
          expect(reply.headers.get('www-authenticate')).toBe('Bearer');
        } else if (!scopes.includes(route.scope))
          expect([reply.status, reply.body]).toMatchObject([403, problem('forbidden')]);
        // No source has SCIM enabled here, so an authorised caller also gets 403, but for another reason.
        else if (speaksScim(route.path)) {
          expect(reply.status).not.toBe(401);
          expect(reply.body).not.toMatchObject(problem('forbidden'));
        } else expect([401, 403]).not.toContain(reply.status);
      },
    );
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

    /** The parts of an answer that do not vary from request to request. */
    const comparable = ({ status, headers: all, body: { requestId: _, ...body } }: Reply) => {
      const names = [...all.keys()].filter((name) => name !== 'date');
      return { status, body, names, length: all.get('content-length') };
    };

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
      await applyConfiguration(api.database.db, shared, 1, 'test', accountRulesOf);
      expect((await start('carol', bound)).body).toMatchObject({ code: 'identity_unknown' });
      const both = await api.newKey(['trigger', 'read'], ['one-password', 'finance']);
      const { body } = await start('carol', both);
      expect(new Set(body.groups as string[])).toEqual(new Set(['one-password', 'finance']));
      expect((await api.send('GET', `/v1/changes/${body.id}`, { key: bound })).status).toBe(200);
      const cancel = await api.send('POST', `/v1/changes/${body.id}/cancel`, { key: bound });
      expect(cancel.body).toMatchObject({ status: 403, code: 'forbidden' });
      await applyConfiguration(api.database.db, testConfiguration, 2, 'test', accountRulesOf);
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
