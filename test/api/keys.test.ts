import { generateKeyPairSync } from 'node:crypto';
import { sql } from 'kysely';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';

const PASSWORD = 'correct horse battery staple 12';

describeWith(['postgres'], 'an API key', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
  });
  afterAll(() => api.stop());

  const create = async (wanted: object) => {
    const { status, body } = await api.send('POST', '/v1/keys', { body: { name: 'x', ...wanted } });
    return { status, issues: body.issues, id: String(body.id), key: String(body.key) };
  };
  const statusWith = async (key: string) => (await api.send('GET', '/v1/changes', { key })).status;
  const listed = async (id: string) => {
    const { body } = await api.send('GET', '/v1/keys');
    return (body.keys as { id: string }[]).find((key) => key.id === id);
  };

  test.each<[string, object]>([
    ['help-desk without an agent', { scopes: ['help-desk'] }],
    ['relay-enrol without a source', { scopes: ['relay-enrol'] }],
    ['relay-enrol together with another scope', { scopes: ['relay-enrol', 'read'], source: 'crm' }],
    ['a source without relay-enrol', { scopes: ['read'], source: 'crm' }],
    ['relay, which a relay gets by its registration', { scopes: ['relay'] }],
    ['admin in groups', { scopes: ['admin'], groups: ['one-password'] }],
    ['operate in groups', { scopes: ['operate'], groups: ['one-password'] }],
    ['configure in groups', { scopes: ['configure', 'read'], groups: ['one-password'] }],
    ['a person and another scope', { scopes: ['change-own', 'read'], identity: 'alice' }],
    ['person without a person', { scopes: ['person'] }],
    ['a person without change-own', { scopes: ['help-desk'], agent: 'x', identity: 'alice' }],
  ])('is not created with %s', async (_what, wanted) => {
    expect((await create(wanted)).status).toBe(400);
  });

  test('of the help desk names its agent in the changes that it starts', async () => {
    const { id, key } = await create({ scopes: ['help-desk'], agent: 'ada.marsh' });
    const body = { identity: 'alice', password: PASSWORD };
    const started = await api.send('POST', '/v1/changes', { key, body });
    expect(started.body).toMatchObject({ requestedBy: 'ada.marsh' });
    expect(await listed(id)).toMatchObject({ agent: 'ada.marsh', scopes: ['help-desk'] });
  });

  test('with change-own starts a change only with the current password', async () => {
    const { key } = await create({ scopes: ['change-own'] });
    const start = (more: object) =>
      api.send('POST', '/v1/changes', {
        key,
        body: { identity: 'alice', password: PASSWORD, ...more },
      });
    expect((await start({})).body).toMatchObject({ status: 403, code: 'current_password_needed' });
    expect((await start({ currentPassword: '' })).status).not.toBe(202);
    expect((await start({ currentPassword: 'the one before' })).status).toBe(202);
    expect((await api.send('GET', '/v1/changes', { key })).status).toBe(403);
  });

  describe('that is bound to a person', () => {
    const start = (key: string, body: object) =>
      api.send('POST', '/v1/changes', {
        key,
        body: { password: PASSWORD, currentPassword: 'the one before', ...body },
      });
    const account = (name: string) => ({ account: { source: 'directory', name } });

    test('acts for this person only, and does not show which other people exist', async () => {
      await addPerson(api.database.db, 'bob');
      const { id, key } = await create({ scopes: ['change-own'], identity: 'alice' });
      expect(await listed(id)).toMatchObject({ identity: 'alice' });
      const accepted = [
        await start(key, { identity: 'alice' }),
        await start(key, account('alice')),
      ];
      expect(accepted.map(({ status }) => status)).toEqual([202, 202]);
      const answers = async (who: string) => {
        const replies = [
          await start(key, { identity: who }),
          await start(key, account(who)),
          await start(key, { identity: who, group: 'one-password' }),
          await start(key, { identity: who, group: 'nothing' }),
          await start(key, { identity: who, password: 'short' }),
        ];
        return replies.map(({ status, headers, body: { requestId: _, ...rest } }) => {
          const names = [...headers.keys()].filter((name) => name !== 'date');
          return { status, rest, names, length: headers.get('content-length') };
        });
      };
      const foreign = await answers('bob');
      expect(foreign).toEqual(await answers('nobody'));
      expect(foreign.map(({ rest }) => rest)).toMatchObject(
        foreign.map(() => ({ status: 404, code: 'identity_unknown' })),
      );
    });

    test('stays bound when its person is removed', async () => {
      await addPerson(api.database.db, 'carol');
      const { id, key } = await create({ scopes: ['change-own'], identity: 'carol' });
      const { db } = api.database;
      await sql`delete from account where identity_id = (select id from identity where name = 'carol')`.execute(
        db,
      );
      await sql`delete from identity where name = 'carol'`.execute(db);
      expect((await start(key, { identity: 'alice' })).status).toBe(404);
      expect(await listed(id)).toMatchObject({ identity: expect.stringMatching(/^idn_/) });
    });

    test('with the scope person reads the own accounts, changes and notices, and nothing of others', async () => {
      const { db } = api.database;
      await addPerson(db, 'erin', ['directory', 'warehouse']);
      await addPerson(db, 'ERIN', ['ledger']);
      const change = async (identity: string) => {
        const body = { identity, password: PASSWORD };
        return String((await api.send('POST', '/v1/changes', { body })).body.id);
      };
      const [own, other] = [await change('erin'), await change('ERIN')];
      for (const changeId of [own, other])
        await sql`
          insert into notice (kind, identity_id, change_id)
          select 'password_changed', identity_id, id from change where id = ${changeId}`.execute(
          db,
        );
      const { key } = await create({ scopes: ['person'], identity: 'erin' });
      const me = await api.send('GET', '/v1/me', { key });
      expect(me.body).toMatchObject({
        name: 'erin',
        accounts: [{ source: 'directory' }, { source: 'warehouse' }],
        changes: [{ id: own }],
        notices: [{ kind: 'password_changed', change: own, delivered: false }],
      });
      const read = await api.send('GET', `/v1/me/changes/${own}`, { key });
      expect(read.body).toMatchObject({ id: own, identity: 'erin' });
      const foreign = [
        ...['/v1/me/changes/', '/v1/changes/'].map((path) => path + other),
        ...['/v1/identities/ERIN', '/v1/identities/erin/overview', '/v1/changes', '/v1/notices'],
        ...['/v1/sources', '/v1/stale', '/v1/audit', `/v1/changes/${own}/audit`],
      ];
      const answers = await Promise.all(foreign.map((path) => api.send('GET', path, { key })));
      expect(answers.map(({ status }) => status)).toEqual([
        404,
        ...foreign.slice(1).map(() => 403),
      ]);
      const noPerson = await api.send('GET', '/v1/me');
      expect(noPerson.status).toBe(404);
      expect((await start(key, { identity: 'ERIN' })).status).toBe(404);
      const withoutCurrent = { identity: 'erin', password: PASSWORD };
      const refused = await api.send('POST', '/v1/changes', { key, body: withoutCurrent });
      expect(refused.body).toMatchObject({ code: 'current_password_needed' });
    });

    test('is not created for an unknown person', async () => {
      expect((await create({ scopes: ['change-own'], identity: 'nobody' })).status).toBe(404);
    });
  });

  test('keeps its id when it is rotated, and both secrets are valid for a while', async () => {
    const { id, key } = await create({ scopes: ['read'] });
    const rotate = (body?: object) => api.send('POST', `/v1/keys/${id}/rotate`, { body });
    const { status, body } = await rotate({ keepSeconds: 3600 });
    expect(status).toBe(200);
    const rotated = String(body.key);
    expect([body.id, rotated.slice(0, 30)]).toEqual([id, key.slice(0, 30)]);
    expect([await statusWith(key), await statusWith(rotated)]).toEqual([200, 200]);
    const again = String((await rotate({ keepSeconds: 3600 })).body.key);
    expect(await Promise.all([key, rotated, again].map(statusWith))).toEqual([401, 200, 200]);
    const leaked = String((await rotate({ keepSeconds: 0 })).body.key);
    expect(await Promise.all([rotated, again, leaked].map(statusWith))).toEqual([401, 401, 200]);
    await api.send('DELETE', `/v1/keys/${id}`);
    expect(await statusWith(leaked)).toBe(401);
    expect((await rotate({})).status).toBe(404);
  });

  test('is not valid in its former secret once the time is over', async () => {
    const { id, key } = await create({ scopes: ['read'] });
    await api.send('POST', `/v1/keys/${id}/rotate`);
    expect(await statusWith(key)).toBe(200);
    await sql`update api_key set previous_until = now() where id = ${id}`.execute(api.database.db);
    expect(await statusWith(key)).toBe(401);
  });

  test('shows when it was last used, and ends when it expires', async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const { id, key } = await create({ scopes: ['read'], expiresAt });
    expect(await listed(id)).toMatchObject({ lastUsedAt: null, expiresAt });
    expect(await statusWith(key)).toBe(200);
    expect(await listed(id)).toMatchObject({ lastUsedAt: expect.any(String) });
    await sql`update api_key set expires_at = now() where id = ${id}`.execute(api.database.db);
    expect(await statusWith(key)).toBe(401);
  });

  describe('with relay-enrol', () => {
    const publicKey = () => generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
    const register = (key: string, source: string) =>
      api.send('POST', '/v1/relays', { key, body: { source, publicKey: publicKey() } });

    test('registers one relay of its source, and then ends', async () => {
      const { id, key } = await create({ scopes: ['relay-enrol'], source: 'warehouse' });
      expect((await register(key, 'crm')).status).toBe(404);
      const { status, body } = await register(key, 'warehouse');
      expect([status, body.key]).toEqual([201, expect.stringMatching(/^lks_/)]);
      expect((await register(key, 'warehouse')).status).toBe(401);
      expect(await listed(id)).toMatchObject({ revokedAt: expect.any(String) });
    });

    test('registers one relay only, however many requests are sent at once', async () => {
      const { key } = await create({ scopes: ['relay-enrol'], source: 'warehouse' });
      const replies = await Promise.all(
        Array.from({ length: 8 }, () => register(key, 'warehouse')),
      );
      const statuses = replies.map(({ status }) => status).sort();
      expect(statuses).toEqual([201, 401, 401, 401, 401, 401, 401, 401]);
    });

    test('ends after a day, also if it was to be valid for longer', async () => {
      const expiresAt = new Date(Date.now() + 90 * 86_400_000).toISOString();
      for (const more of [{}, { expiresAt }]) {
        const { id } = await create({ scopes: ['relay-enrol'], source: 'crm', ...more });
        const shown = (await listed(id)) as unknown as { expiresAt: string };
        expect(Date.parse(shown.expiresAt) - Date.now()).toBeLessThanOrEqual(86_400_000);
      }
    });
  });
});
