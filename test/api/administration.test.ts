import { claimJob, finishJob, requestJob } from '../../store/sources/jobs';
import { startTestApi, type TestApi } from '../support/api';
import { verifyAll } from '../support/audit-chain';
import { addPerson, applyTestConfiguration, planned, settled } from '../support/played-worker';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'administration', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
  });
  afterAll(() => api.stop());

  const put = (name: string, body: unknown) =>
    api.send('PUT', `/v1/identities/${encodeURIComponent(name)}`, { body });
  const get = (path: string) => api.send('GET', path);

  describe('the configuration', () => {
    const plan = (document: unknown) =>
      api.send('POST', '/v1/configuration/plan', { body: { document } });
    const apply = (document: unknown, version: number) =>
      api.send('POST', '/v1/configuration/apply', { body: { document, version } });
    const empty = { version: 1 };

    test('a configuration plan lists the differences and the accounts and mappings of what would be deleted', async () => {
      await put('hal', {
        accounts: [
          { source: 'vault', name: 'hal' },
          { source: 'warehouse', name: 'hal' },
        ],
        mappings: [{ application: 'reports', account: 'hal' }],
      });
      const { status, body } = await plan(empty);
      expect(status).toBe(200);
      expect(body.version).toBe(1);
      expect(body.differences).toHaveLength(10);
      expect(body.deletes).toEqual(
        expect.arrayContaining([
          { section: 'sources', name: 'vault', accounts: 1, mappings: 0 },
          { section: 'sources', name: 'ledger', accounts: 0, mappings: 0 },
          { section: 'applications', name: 'reports', accounts: 0, mappings: expect.any(Number) },
        ]),
      );
    });

    test.each([
      ['not an object', 7],
      ['a document with an empty group', { version: 1, groups: { g: {} } }],
      [
        'a document with an unknown source kind',
        { version: 1, sources: { s: { kind: 'nothing', settings: {} } } },
      ],
    ])(
      'a configuration that is %s is rejected with the path of each mistake',
      async (_what, document) => {
        const reply = await plan(document);
        expect(reply.body).toMatchObject({ status: 422, code: 'configuration_invalid' });
        expect(reply.body.issues).not.toHaveLength(0);
        expect((await apply(document, 1)).body).toMatchObject({ code: 'configuration_invalid' });
      },
    );

    test('a configuration is applied only against the version that is in force', async () => {
      const { body: before } = await get('/v1/configuration');
      const version = Number(before.version);
      const wanted = { ...empty, policies: { staff: { minLength: 9 } } };
      const replies = await Promise.all([apply(wanted, version), apply(wanted, version)]);
      expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
      expect((await get('/v1/configuration')).body).toMatchObject({
        version: version + 1,
        configuration: { policies: { staff: { minLength: 9 } } },
      });
      for (const other of [version, version + 2])
        expect((await apply(wanted, other)).body).toMatchObject({ code: 'configuration_changed' });
    });

    test('a configuration may have thousands of entries, up to a size limit', async () => {
      const names = [...Array(2000).keys()].map((index) => `policy-${index}`);
      const policies = Object.fromEntries(names.map((name) => [name, { minLength: 9 }]));
      const { body } = await plan({ ...empty, policies });
      expect(body.differences).toEqual(
        expect.arrayContaining([expect.objectContaining({ name: 'policy-1999' })]),
      );
      const tooLarge = await plan({ ...empty, padding: 'x'.repeat(1024 * 1024) });
      expect(tooLarge.body).toMatchObject({ code: 'body_too_large' });
    });
  });

  describe('sources', () => {
    let other: TestApi;

    beforeAll(async () => {
      other = await startTestApi();
      await applyTestConfiguration(other.database.db);
    });
    afterAll(() => other.stop());

    test('sources are listed with their linked and waiting accounts', async () => {
      const { db } = other.database;
      await addPerson(db, 'alice');
      await addPerson(db, 'bob');
      const body = { identity: 'alice', password: 'correct horse battery staple' };
      const { body: change } = await other.send('POST', '/v1/changes', { body });
      await planned(db, String(change.id), 'alice');
      const waiting = {
        state: 'waiting',
        reason: 'unreachable',
        proof: 'none',
        nextTryInMs: 9999,
      } as const;
      await settled(db, String(change.id), 'warehouse', waiting);
      const { body: listed } = await other.send('GET', '/v1/sources');
      expect(listed.sources).toEqual(
        expect.arrayContaining([
          {
            name: 'warehouse',
            title: { en: 'Warehouse', de: 'Warehouse' },
            hint: null,
            kind: 'ldap',
            enabled: true,
            prove: 'always',
            lane: 'inline',
            maxPerSecond: null,
            maxAtOnce: null,
            groups: ['one-password'],
            servers: [],
            state: 'up',
            since: null,
            reason: null,
            says: 'its accounts are written at once',
            pausedBy: null,
            pausedUntil: null,
            nextProbeAt: null,
            accounts: 2,
            waiting: 1,
            parked: 0,
            refresh: {
              ...{ lastAt: null, failed: false, running: false, progress: null, nextAt: null },
            },
          },
          expect.objectContaining({ name: 'vault', accounts: 0, waiting: 0 }),
        ]),
      );
    });

    test('a client can wait for the result of a check or refresh that a worker carries out', async () => {
      const send = (path: string, headers = {}, body?: unknown) =>
        other.send('POST', `/v1/sources/${path}`, { headers, body });
      const reply = await send('warehouse/check');
      expect(reply.status).toBe(202);
      const location = reply.headers.get('location') ?? '';
      expect(location).toBe(`/v1/jobs/${reply.body.job}`);
      const waiting = other.send('GET', `${location}?wait=30`);
      await finishJob(other.database.db, String(reply.body.job), 'done', [{ check: 'tls' }]);
      expect((await waiting).body).toMatchObject({
        kind: 'check',
        source: 'warehouse',
        state: 'done',
        result: [{ check: 'tls' }],
      });

      const refreshing = send('crm/refresh', { prefer: 'wait=30' }, { preview: true });
      const { rows } = await untilRow(() =>
        other.database.pool.query(`select id, parameters from job where kind = 'refresh'`),
      );
      expect(rows[0]?.parameters).toEqual({ preview: true });
      await finishJob(other.database.db, String(rows[0]?.id), 'done', { read: 7 });
      const refreshed = await refreshing;
      expect(refreshed.status).toBe(200);
      expect(refreshed.headers.get('preference-applied')).toBe('wait=30');
      expect(refreshed.body).toMatchObject({ kind: 'refresh', result: { read: 7 } });

      expect((await send('crm/refresh', { prefer: 'wait=1' })).status).toBe(202);
      expect((await send('nowhere/check')).status).toBe(404);
      expect((await send('constructor/check')).status).toBe(404);
    });
  });

  describe('API keys', () => {
    test('an API key is shown once and listed without its secret', async () => {
      const wanted = { name: 'help desk', scopes: ['trigger', 'read'], groups: ['one-password'] };
      const { status, body } = await api.send('POST', '/v1/keys', { body: wanted });
      expect(status).toBe(201);
      expect(body.key).toMatch(/^lks_/);
      const { text, body: listed } = await get('/v1/keys');
      expect(text).not.toContain(String(body.key).slice(-20));
      expect(listed.keys).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ id: body.id, ...wanted, revokedAt: null }),
        ]),
      );
    });

    test('an API key with the scope admin cannot be bound to groups', async () => {
      const body = { name: 'x', scopes: ['admin'], groups: ['one-password'] };
      expect((await api.send('POST', '/v1/keys', { body })).body).toMatchObject({
        code: 'request_invalid',
        at: '/groups',
      });
    });

    test('an API key is rejected after its expiry', async () => {
      const body = { name: 'x', scopes: ['read'], expiresAt: '2020-01-01T00:00:00+02:00' };
      const { body: created } = await api.send('POST', '/v1/keys', { body });
      const reply = await api.send('GET', '/v1/changes', { key: String(created.key) });
      expect(reply.status).toBe(401);
    });

    test('revoking an unknown API key answers 404', async () => {
      expect((await api.send('DELETE', '/v1/keys/key_nothing')).status).toBe(404);
    });
  });

  test('a verification of the audit is a job of a worker, which a key that may read the audit can read', async () => {
    const key = await api.newKey(['audit']);
    const begun = await api.send('POST', '/v1/audit/verifications', { key });
    expect(begun.status).toBe(202);
    const { db } = api.database;
    const job = await claimJob(db, 60);
    await finishJob(db, String(job?.id), 'done', await verifyAll(db));
    const at = String(begun.headers.get('location'));
    const { body } = await api.send('GET', at, { key });
    expect(body).toMatchObject({ kind: 'verify-audit', source: null, result: { intact: true } });
    const other = await requestJob(db, {
      kind: 'check',
      source: 'crm',
      parameters: {},
      requestedBy: 'test',
    });
    const hidden = await api.send('GET', `/v1/audit/verifications/${other}`, { key });
    expect(hidden.status).toBe(404);
  });
});

async function untilRow<Result extends { rowCount: number | null }>(
  query: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    const result = await query();
    if (result.rowCount !== 0) return result;
  }
}
