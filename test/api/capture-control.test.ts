import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { applyConfiguration } from '../../store/configuration/versions';
import { saveReplicas } from '../../store/sources/replicas';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, testConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';

const PASSWORD = 'correct horse battery staple';
const capture = { enabled: true, verifyCurrent: false };

describeWith(['postgres'], 'the captures of sources', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
    const configuration = configurationSchema.parse({
      ...testConfiguration,
      sources: {
        ...testConfiguration.sources,
        warehouse: { kind: 'ldap', settings: {}, capture },
        crm: { kind: 'ldap', settings: {}, capture },
      },
    });
    await applyConfiguration(api.database.db, configuration, 0, 'test', accountRulesOf);
    await addPerson(api.database.db, 'alice');
  });
  afterAll(() => api.stop());

  const command = (verb: string, body: object) =>
    api.send('POST', `/v1/captures/${verb}`, { body });
  const send = (more: object = {}) =>
    api.send('POST', '/v1/captures', {
      body: {
        ...{ source: 'warehouse', account: 'alice', password: PASSWORD },
        capturedAt: new Date().toISOString(),
        ...more,
      },
    });
  const audited = async (action: string) =>
    (await api.database.pool.query('select subject from audit where action = $1', [action])).rows;

  test('while captures are stopped a client is asked to retry, and nothing is lost', async () => {
    const stopped = await command('stop', { source: 'warehouse' });
    expect(stopped.body.sources).toMatchObject([
      { source: 'warehouse', stoppedAt: expect.any(String), stoppedBy: /api-key:/ },
    ]);
    const refused = await send();
    expect([refused.status, refused.body.code]).toEqual([503, 'captures_stopped']);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await audited('capture.captures_stopped')).toEqual([]);
    await command('start', { source: 'warehouse' });
    expect((await send()).status).toBe(202);
    expect(await audited('captures.stopped')).toEqual([{ subject: 'warehouse' }]);
    expect(await audited('captures.started')).toEqual([{ subject: 'warehouse' }]);
  });

  test('stopping captures without naming a source stops every source that has captures enabled', async () => {
    const stopped = await command('stop', {});
    expect((stopped.body.sources as { source: string }[]).map(({ source }) => source)).toEqual([
      ...['crm', 'warehouse'],
    ]);
    expect((await send()).status).toBe(503);
    expect((await command('start', {})).body.sources).toMatchObject([
      ...[{ stoppedAt: null }, { stoppedAt: null }],
    ]);
  });

  test('a startpoint is shown, and earlier captures start no change', async () => {
    const at = '2026-01-31T12:00:00.000Z';
    const set = await command('startpoint', { source: 'crm', from: 'time', at });
    expect(set.body.sources).toMatchObject([
      { source: 'crm', startpoint: { from: 'time', notBefore: at, startpointApplied: null } },
    ]);
    await command('startpoint', { source: 'warehouse', from: 'end' });
    const before = new Date(Date.now() - 60_000).toISOString();
    const answer = await send({ password: `${PASSWORD} older`, capturedAt: before });
    expect([answer.status, answer.body.result]).toEqual([200, 'before_startpoint']);
  });

  test.each([
    ['a source without captures', 'stop', { source: 'ledger' }, 404, 'not_found'],
    ['an unknown source', 'start', { source: 'nowhere' }, 404, 'not_found'],
    [
      'a cursor without a relay that polls',
      'startpoint',
      { source: 'crm', from: 'cursor', cursor: '4711' },
      ...[409, 'startpoint_not_possible'],
    ],
    [
      'a cursor without a source',
      'startpoint',
      { from: 'cursor', cursor: '1' },
      400,
      'request_invalid',
    ],
    ['an invalid time', 'startpoint', { from: 'time', at: 'noon' }, 400, 'request_invalid'],
  ] as const)('a command for %s is rejected', async (_title, verb, body, status, code) => {
    const answer = await command(verb, body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test('the list of captures shows servers that no relay covers', async () => {
    const { db } = api.database;
    const reported = [
      { host: 'dc1.example.com', writable: true },
      { host: 'dc2.example.com', writable: true },
    ];
    await saveReplicas(db, 'crm', reported);
    await saveReplicas(db, 'crm', reported.slice(1));
    const { body } = await api.send('GET', '/v1/captures');
    expect(body.sources).toContainEqual(
      expect.objectContaining({ source: 'crm', servers: [{ ...reported[1], relay: null }] }),
    );
  });
});
