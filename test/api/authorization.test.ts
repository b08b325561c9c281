import type { Route } from '../../api/http/route';
import { routes } from '../../api/routes';
import { speaksScim } from '../../api/scim/errors';
import { type ErrorCode, errors } from '../../model/errors';
import { createApiKey, revokeApiKey } from '../../store/api-keys';
import { applyConfiguration } from '../../store/configuration/versions';
import type { Scope } from '../../store/tables';
import { type Reply, startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration, testConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';

const PASSWORD = 'correct horse battery staple 12';

/** Who asks, and which scopes their key is good for. */
const callers: Readonly<Record<string, readonly Scope[] | 'nobody'>> = {
  'nobody at all': 'nobody',
  'a key that never was': 'nobody',
  'a key with a wrong secret': 'nobody',
  'a revoked key': 'nobody',
  'an expired key': 'nobody',
  'a key in another scheme': 'nobody',
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
      'nobody at all': {},
      'a key that never was': bearer(`lks_${'0'.repeat(26)}_${'A'.repeat(43)}`),
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

  test('there is no route without a scope', () => {
    expect(
      routes.filter(
        ({ scope }) => !['trigger', 'capture', 'sign-in', 'read', 'admin', 'relay'].includes(scope),
      ),
    ).toEqual([]);
  });

  describe.each(
    routes.map((route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const),
  )('%s', (_title, route) => {
    test.each(Object.entries(callers))('for %s', async (who, scopes) => {
      const reply = await api.send(route.method.toUpperCase(), addressOf(route), {
        key: null,
        headers: headers[who] ?? {},
      });
      const problem = (code: ErrorCode) =>
        speaksScim(route.path) ? { detail: errors[code].says } : { code };
      if (scopes === 'nobody') {
        expect([reply.status, reply.body]).toMatchObject([401, problem('unauthenticated')]);
        expect(reply.headers.get('www-authenticate')).toBe('Bearer');
      } else if (!scopes.includes(route.scope))
        expect([reply.status, reply.body]).toMatchObject([403, problem('forbidden')]);
      // No source takes SCIM here, whoever asks: 403 is right, the reason is another.
      else if (speaksScim(route.path)) {
        expect(reply.status).not.toBe(401);
        expect(reply.body).not.toMatchObject(problem('forbidden'));
      } else expect([401, 403]).not.toContain(reply.status);
    });
  });

  test('who is not let in is told before the body is read, and nothing of it is kept', async () => {
    const body = Buffer.from(`{"password":"${'canary'.repeat(100)}`);
    const reply = await api.send('POST', '/v1/changes', { key: null, body });
    expect(reply.status).toBe(401);
    expect(reply.text).not.toContain('canary');
    expect(api.printed()).not.toContain('canary');
  });

  test('an API key is in no log line', () => {
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

    /** All of the answer that is not of this one request. */
    const comparable = ({ status, headers: all, body: { requestId: _, ...body } }: Reply) => {
      const names = [...all.keys()].filter((name) => name !== 'date');
      return { status, body, names, length: all.get('content-length') };
    };

    test('changes people of its groups', async () => {
      expect((await start('alice', bound)).status).toBe(202);
    });

    test.each([
      ['somebody of another group', 'bob', {}],
      ['somebody of another group, by that group', 'bob', { group: 'finance' }],
      ['somebody of both groups, by the other', 'carol', { group: 'finance' }],
    ])('answers for %s as for somebody who is not there', async (_what, identity, more) => {
      expect(comparable(await start(identity, bound, more))).toEqual(
        comparable(await start('nobody', bound, more)),
      );
      const plan = (who: string) =>
        api.send('POST', '/v1/changes/plan', { key: bound, body: { identity: who, ...more } });
      expect(comparable(await plan(identity))).toEqual(comparable(await plan('nobody')));
      const account = { source: 'ledger', name: identity };
      const byAccount = (one: object) =>
        start('', bound, { identity: undefined, account: one, ...more });
      expect(comparable(await byAccount(account))).toEqual(
        comparable(await byAccount({ ...account, name: 'nobody' })),
      );
    });

    test('need not name the only group that it may change', async () => {
      expect((await start('carol', bound)).body).toMatchObject({ groups: ['one-password'] });
    });

    test('sees and touches no change of other groups: they are not there', async () => {
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

    test('cannot use its own changes to reach another group that shares the auth source', async () => {
      const { groups } = testConfiguration;
      const finance = {
        policy: 'finance',
        authSource: 'directory',
        sources: ['ledger', 'vault'],
        failureMode: 'continue' as const,
      };
      const shared = { ...testConfiguration, groups: { ...groups, finance } };
      await applyConfiguration(api.database.db, shared, 1, 'test');
      expect((await start('carol', bound)).body).toMatchObject({ code: 'identity_unknown' });
      const both = await api.newKey(['trigger', 'read'], ['one-password', 'finance']);
      const { body } = await start('carol', both);
      expect(new Set(body.groups as string[])).toEqual(new Set(['one-password', 'finance']));
      expect((await api.send('GET', `/v1/changes/${body.id}`, { key: bound })).status).toBe(200);
      const cancel = await api.send('POST', `/v1/changes/${body.id}/cancel`, { key: bound });
      expect(cancel.body).toMatchObject({ status: 403, code: 'forbidden' });
      await applyConfiguration(api.database.db, testConfiguration, 2, 'test');
    });

    test('sees the sources of its groups alone', async () => {
      const { body } = await api.send('GET', '/v1/sources', { key: bound });
      const names = (body.sources as { name: string }[]).map(({ name }) => name);
      expect(names).toEqual(['crm', 'directory', 'warehouse']);
    });
  });

  test('revoking a key acts at the next request', async () => {
    const { body } = await api.send('POST', '/v1/keys', {
      body: { name: 'short', scopes: ['read'] },
    });
    const key = String(body.key);
    expect((await api.send('GET', '/v1/changes', { key })).status).toBe(200);
    expect((await api.send('DELETE', `/v1/keys/${body.id}`)).status).toBe(204);
    expect((await api.send('GET', '/v1/changes', { key })).status).toBe(401);
  });
});
