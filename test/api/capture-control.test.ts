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
    await applyConfiguration(api.database.db, configuration, 0, 'test');
    await addPerson(api.database.db, 'alice');
  });
  afterAll(() => api.stop());

  const say = (what: string, body: object) => api.send('POST', `/v1/captures/${what}`, { body });
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

  test('stopped: whoever sends one is told to send it again, and nothing is lost', async () => {
    const stopped = await say('stop', { source: 'warehouse' });
    expect(stopped.body.sources).toMatchObject([
      { source: 'warehouse', stoppedAt: expect.any(String), stoppedBy: /api-key:/ },
    ]);
    const refused = await send();
    expect([refused.status, refused.body.code]).toEqual([503, 'captures_stopped']);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await audited('capture.captures_stopped')).toEqual([]);
    await say('start', { source: 'warehouse' });
    expect((await send()).status).toBe(202);
    expect(await audited('captures.stopped')).toEqual([{ subject: 'warehouse' }]);
    expect(await audited('captures.started')).toEqual([{ subject: 'warehouse' }]);
  });

  test('without a source: of every source that takes captures', async () => {
    const stopped = await say('stop', {});
    expect((stopped.body.sources as { source: string }[]).map(({ source }) => source)).toEqual([
      ...['crm', 'warehouse'],
    ]);
    expect((await send()).status).toBe(503);
    expect((await say('start', {})).body.sources).toMatchObject([
      ...[{ stoppedAt: null }, { stoppedAt: null }],
    ]);
  });

  test('a startpoint is told, and what was captured before it starts nothing', async () => {
    const at = '2026-01-31T12:00:00.000Z';
    const set = await say('startpoint', { source: 'crm', from: 'time', at });
    expect(set.body.sources).toMatchObject([
      { source: 'crm', startpoint: { from: 'time', notBefore: at, startpointApplied: null } },
    ]);
    await say('startpoint', { source: 'warehouse', from: 'end' });
    const before = new Date(Date.now() - 60_000).toISOString();
    const answer = await send({ password: `${PASSWORD} older`, capturedAt: before });
    expect([answer.status, answer.body.result]).toEqual([200, 'before_startpoint']);
  });

  test.each([
    ['a source that takes none', 'stop', { source: 'ledger' }, 404, 'not_found'],
    ['a source that is not there', 'start', { source: 'nowhere' }, 404, 'not_found'],
    [
      'a cursor where no relay reads',
      'startpoint',
      { source: 'crm', from: 'cursor', cursor: '4711' },
      ...[409, 'startpoint_not_possible'],
    ],
    [
      'a cursor of no source',
      'startpoint',
      { from: 'cursor', cursor: '1' },
      400,
      'request_invalid',
    ],
    ['a time that is none', 'startpoint', { from: 'time', at: 'noon' }, 400, 'request_invalid'],
  ] as const)('%s is refused', async (_title, what, body, status, code) => {
    const answer = await say(what, body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test('tell the servers of the source on which nobody captures', async () => {
    const { db } = api.database;
    const told = [
      { host: 'dc1.example.com', writable: true },
      { host: 'dc2.example.com', writable: true },
    ];
    await saveReplicas(db, 'crm', told);
    await saveReplicas(db, 'crm', told.slice(1));
    const { body } = await api.send('GET', '/v1/captures');
    expect(body.sources).toContainEqual(
      expect.objectContaining({ source: 'crm', servers: [{ ...told[1], relay: null }] }),
    );
  });
});
