import { removePresence, reportPresence } from '../../store/presence';
import { recordHistory } from '../../store/sources/record-history';
import { openCircuit, pauseSource, readSourceStates } from '../../store/sources/state';
import { startTestApi, type TestApi } from '../support/api';
import { chainAll } from '../support/audit-chain';
import { addPerson, applyTestConfiguration, planned, settled } from '../support/played-worker';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'sources in trouble', () => {
  let api: TestApi;
  let change: string;

  beforeAll(async () => {
    api = await startTestApi();
    const { db } = api.database;
    await applyTestConfiguration(db);
    await addPerson(db, 'alice');
    const body = { identity: 'alice', password: 'correct horse battery staple' };
    change = String((await api.send('POST', '/v1/changes', { body })).body.id);
    await planned(db, change, 'alice');
    const waiting = { state: 'waiting', reason: 'unreachable', nextTryInMs: 9_999_999 } as const;
    await settled(db, change, 'warehouse', { ...waiting, proof: 'none' });
  });
  beforeEach(async () => {
    await api.database.db.deleteFrom('source_state').execute();
    await api.database.db.deleteFrom('source_command').execute();
  });
  afterAll(() => api.stop());

  const send = (verb: string, body?: unknown, source = 'warehouse') =>
    api.send('POST', `/v1/sources/${source}/${verb}`, { body });
  const listed = async (key?: string) => {
    const { body } = await api.send('GET', '/v1/sources', key === undefined ? {} : { key });
    return (body.sources as { name: string }[]).find(({ name }) => name === 'warehouse');
  };
  const account = async () => {
    const { body } = await api.send('GET', `/v1/changes/${change}`);
    return (body.accounts as Record<string, unknown>[])[1];
  };

  test('a source that is down is listed with the reason, the next probe and the waiting accounts', async () => {
    await openCircuit(api.database.db, 'warehouse', 'busy', 60_000);
    const reader = await api.newKey(['read'], ['one-password']);
    expect(await listed(reader)).toMatchObject({
      state: 'down',
      since: expect.stringMatching(/Z$/),
      reason: 'busy',
      says: expect.stringContaining('busy'),
      pausedBy: null,
      nextProbeAt: expect.stringMatching(/Z$/),
      waiting: 1,
    });
    const waiting = await account();
    expect(waiting).toMatchObject({ outcome: 'waiting', reason: 'busy' });
    expect(Date.parse(String(waiting?.nextTryAt)) - Date.now()).toBeLessThan(61_000);
  });

  test('pausing and resuming a source are audited', async () => {
    const { keyId } = await adminKey();
    expect((await send('pause')).body).toMatchObject({
      name: 'warehouse',
      state: 'paused',
      reason: 'source_paused',
      pausedBy: `api-key:${keyId}`,
    });
    expect(await account()).toMatchObject({ reason: 'source_paused', nextTryAt: null });
    expect((await send('resume')).body).toMatchObject({ state: 'up', reason: null });
    expect((await send('resume')).body).toMatchObject({ state: 'up' });
    const { rows } = await api.database.pool.query(
      `select actor, action from audit where subject = 'warehouse' and action like 'source.%' order by id desc limit 2`,
    );
    expect(rows).toEqual(
      ['resumed', 'paused'].map((what) => ({
        actor: `api-key:${keyId}`,
        action: `source.${what}`,
      })),
    );
  });

  async function adminKey(): Promise<{ keyId: string }> {
    const { rows } = await api.database.pool.query<{ keyId: string }>(
      `select id as "keyId" from api_key where 'admin' = any(scopes) order by created_at limit 1`,
    );
    return rows[0] ?? { keyId: '' };
  }

  test('an operator can resume a source that was paused because it refused the service account', async () => {
    await pauseSource(api.database.db, 'warehouse', 'service_credential_refused', 'worker');
    expect(await listed()).toMatchObject({ state: 'paused', pausedBy: 'worker' });
    expect((await send('resume')).body).toMatchObject({ state: 'up' });
    expect((await readSourceStates(api.database.db)).size).toBe(0);
  });

  test('a pause until a time shows when it ends, an operator can change its end, and a time in the past is refused', async () => {
    const until = new Date(Date.now() + 3_600_000).toISOString();
    expect((await send('pause', { until })).body).toMatchObject({
      state: 'paused',
      pausedUntil: until,
    });
    expect(await account()).toMatchObject({ reason: 'source_paused', nextTryAt: until });
    expect((await send('pause')).body).toMatchObject({ pausedUntil: null });
    expect(await send('pause', { until: '2020-01-01T00:00:00Z' })).toMatchObject({
      status: 400,
      body: { code: 'request_invalid' },
    });
  });

  test('a maintenance window is shown with its end, and is ended by no command', async () => {
    const { db } = api.database;
    const until = new Date(Date.now() + 3_600_000);
    await openCircuit(db, 'warehouse', 'busy', 60_000);
    await pauseSource(db, 'warehouse', 'source_in_maintenance', 'maintenance', until);
    expect(await listed()).toMatchObject({
      ...{ state: 'paused', reason: 'source_in_maintenance', pausedBy: 'maintenance' },
      pausedUntil: until.toISOString(),
    });
    for (const verb of ['resume', 'retry'])
      expect(await send(verb)).toMatchObject({
        status: 409,
        body: { code: 'source_in_maintenance' },
      });
    expect((await send('pause')).body).toMatchObject({ reason: 'source_paused' });
    await pauseSource(db, 'warehouse', 'source_in_maintenance', 'maintenance', until);
    expect(await listed()).toMatchObject({ reason: 'source_paused', pausedUntil: null });
  });

  test('the servers that the present workers use are listed, each once', async () => {
    const { db } = api.database;
    for (const [worker, server] of Object.entries({ one: 'dc1', two: 'dc2', three: 'dc1' }))
      await reportPresence(db, worker, { servers: { warehouse: `ldaps://${server}.test:636` } });
    expect(await listed()).toMatchObject({
      servers: ['ldaps://dc1.test:636', 'ldaps://dc2.test:636'],
    });
    for (const worker of ['one', 'two', 'three']) await removePresence(db, worker);
  });

  test('the history of a source shows a pause, what was written and what waits, in slots of the wanted length', async () => {
    const { db } = api.database;
    await pauseSource(db, 'warehouse', 'source_paused', 'operator');
    await chainAll(db);
    while (await recordHistory(db));
    const read = (query: string, key?: string) =>
      api.send('GET', `/v1/source-history${query}`, key === undefined ? {} : { key });
    const { body } = await read('?source=warehouse&slotMinutes=60');
    const [history, ...others] = body.sources as { slots: object[]; outages: object[] }[];
    expect([body.slotMinutes, others]).toEqual([60, []]);
    expect(history?.slots).toHaveLength(24);
    expect(history?.slots.at(-1)).toMatchObject({ applied: 0, refused: 0, waiting: 1 });
    expect(history?.outages[0]).toMatchObject({
      ...{ condition: 'paused', reason: 'source_paused', until: null },
      ...{ waited: 1, applied: 0, unsettled: 1, settledAt: null },
      says: expect.stringContaining('paused'),
    });
    const sources = async (key: string) =>
      ((await read('', key)).body.sources as { source: string }[]).map(({ source }) => source);
    expect(await sources(await api.newKey(['read']))).toContain('warehouse');
    expect((await read('?source=nowhere')).status).toBe(404);
    expect((await read('?slotMinutes=7')).status).toBe(400);
  });

  test.each(['retry', 'resume'])(
    '%s makes the next probe of a source that is down due',
    async (verb) => {
      await openCircuit(api.database.db, 'warehouse', 'busy', 3_600_000);
      await send(verb);
      const { rows } = await api.database.pool.query(
        `select next_probe_at <= now() as due from source_state where source = 'warehouse'`,
      );
      expect(rows).toEqual([{ due: true }]);
    },
  );

  test.each(['retry', 'park', 'cancel'])(
    '%s applies to all waiting accounts of a source, at a limited rate',
    async (verb) => {
      const reply = await send(verb, { perSecond: 3 });
      expect([reply.status, reply.body]).toEqual([202, { accounts: 1 }]);
      expect((await send(verb)).status).toBe(202);
      const { rows } = await api.database.pool.query(
        'select per_second from source_command where kind = $1 order by id',
        [verb],
      );
      expect(rows).toEqual([{ per_second: 3 }, { per_second: 20 }]);
      for (const perSecond of [0, 1001, 1.5, '3'])
        expect((await send(verb, { perSecond })).body).toMatchObject({ code: 'request_invalid' });
    },
  );

  test('retry is rejected for a paused source', async () => {
    await send('pause');
    expect((await send('retry')).body).toMatchObject({ status: 409, code: 'source_paused' });
  });

  test.each(['pause', 'resume', 'retry', 'park', 'cancel'])(
    '%s of an unknown source answers 404',
    async (verb) => {
      for (const source of ['nowhere', 'constructor'])
        expect((await send(verb, undefined, source)).status).toBe(404);
    },
  );
});
