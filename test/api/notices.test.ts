import { sql } from 'kysely';
import { startTestApi, type TestApi } from '../support/api';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'the routes of notices', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
    const { db } = api.database;
    const settings = { host: 'mail.test', from: 'lockstep@corp.example' };
    const document = {
      version: 1,
      notices: {
        mail: { kind: 'mail', for: ['people'], settings },
        hook: {
          kind: 'webhook',
          for: ['operators'],
          settings: { url: 'https://hooks.test/lockstep', secret: '${file:hook}' },
        },
      },
    };
    const applied = await api.send('POST', '/v1/configuration/apply', {
      body: { document, version: 0 },
    });
    expect(applied.status).toBe(200);
    await sql`insert into identity (id, name) values ('idn_1', 'ann'), ('idn_2', 'bob')`.execute(
      db,
    );
    await sql`insert into change (id, identity_id, identity_name, seq, groups, requested_by, requested_by_name,
                                  configuration_version, expires_at)
              values ('chg_1', 'idn_1', 'ann', 1, '{staff}', 'k', 'k', 1, now()),
                     ('chg_2', 'idn_2', 'bob', 1, '{guests}', 'k', 'k', 1, now())`.execute(db);
    await sql`insert into notice (id, kind, identity_id, change_id, subject, state)
              values ('ntc_1', 'password_changed', 'idn_1', 'chg_1', null, 'sent'),
                     ('ntc_2', 'password_changed', 'idn_2', 'chg_2', null, 'sent'),
                     ('ntc_3', 'change_parked', null, 'chg_1', 'crm', 'sending'),
                     ('ntc_4', 'source_down', null, null, 'crm', 'withdrawn')`.execute(db);
    await sql`insert into notice_delivery (notice_id, channel, recipient, state, reason, attempts)
              values ('ntc_1', 'mail', 'ann@secret.example', 'delivered', null, 1),
                     ('ntc_3', 'hook', null, 'waiting', 'receiver_failed', 2)`.execute(db);
  });
  afterAll(() => api.stop());

  const list = async (query = '', key?: string) => {
    const { status, body } = await api.send('GET', `/v1/notices${query}`, { key });
    expect(status).toBe(200);
    return body as { notices: { id: string; deliveries: object[] }[]; next: string | null };
  };
  const ids = async (query?: string, key?: string) =>
    (await list(query, key)).notices.map(({ id }) => id);

  test('notices are listed by page, newest first, without those that were withdrawn and without addresses', async () => {
    expect(await ids()).toEqual(['ntc_3', 'ntc_2', 'ntc_1']);
    const first = await list('?limit=2');
    expect(first.notices.map(({ id }) => id)).toEqual(['ntc_3', 'ntc_2']);
    expect(await ids(`?limit=2&cursor=${first.next}`)).toEqual(['ntc_1']);
    expect(await ids('?state=waiting')).toEqual(['ntc_3']);
    expect(JSON.stringify(await list())).not.toContain('secret.example');
  });

  test('a key that is bound to groups sees the notices to their people only', async () => {
    const key = await api.newKey(['read'], ['staff']);
    expect(await ids('', key)).toEqual(['ntc_1']);
    const statuses = await Promise.all(
      ['ntc_1', 'ntc_2', 'ntc_3'].map(
        async (id) => (await api.send('GET', `/v1/notices/${id}`, { key })).status,
      ),
    );
    expect(statuses).toEqual([200, 404, 404]);
  });

  test('the channels show what became of their deliveries', async () => {
    const { body } = await api.send('GET', '/v1/notices/channels');
    expect(body.channels).toMatchObject([
      { name: 'hook', waiting: 1, closedAt: null, lastReason: 'receiver_failed' },
      { name: 'mail', waiting: 0, failed: 0, lastReason: null },
    ]);
  });

  test('a test needs a channel and a recipient, and leaves an audit record', async () => {
    const send = async (body: object) =>
      (await api.send('POST', '/v1/notices/test', { body })).status;
    expect(await send({ channel: 'pager' })).toBe(404);
    expect(await send({ channel: '__proto__' })).toBe(404);
    expect(await send({ channel: 'mail' })).toBe(400);
    expect(await send({ channel: 'mail', to: 'ops@x\r\nBcc: y@z' })).toBe(400);
    expect(await send({ channel: 'hook', to: 'ops@corp.example' })).toBe(400);
    expect(await send({ channel: 'mail', to: 'ops@corp.example' })).toBe(202);
    expect(await send({ channel: 'hook' })).toBe(202);
    const audit = await api.database.db
      .selectFrom('audit')
      .select('subject')
      .where('action', '=', 'notice.tested')
      .orderBy('id')
      .execute();
    expect(audit).toEqual([{ subject: 'mail' }, { subject: 'hook' }]);
  });

  test('a secret in the document, and a reference outside the secrets of the worker, are refused', async () => {
    const says = async (settings: object) => {
      const document = {
        version: 1,
        notices: { hook: { kind: 'webhook', for: ['people'], settings } },
      };
      const { body } = await api.send('POST', '/v1/configuration/plan', { body: { document } });
      return JSON.stringify(body.issues);
    };
    const url = 'https://hooks.test/lockstep';
    expect(await says({ url, secret: 'whsec_in-the-document' })).toContain('write a reference');
    await sql`update worker_presence set secrets_folder = '/etc/lockstep/secrets', secrets_prefix = 'LOCKSTEP_SECRET_'`.execute(
      api.database.db,
    );
    expect(await says({ url, secret: '${file:/etc/passwd}' })).toContain('names a file outside');
  });

  test('neither the transmitter nor its keys are shown before a worker has published a key', async () => {
    for (const path of ['/.well-known/ssf-configuration', '/ssf/jwks.json'])
      expect((await api.send('GET', path, { key: null })).status).toBe(404);
  });
});
