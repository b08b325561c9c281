import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { MAX_STREAMS, sharedRead } from '../../api/http/streams';
import { revokeApiKey, rotateApiKey } from '../../store/api-keys';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration, ended } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

describeWith(['postgres'], 'an event stream', () => {
  let api: TestApi;
  let id: string;
  const opened: AbortController[] = [];

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
    const body = { identity: 'alice', password: 'correct horse battery staple' };
    id = String((await api.send('POST', '/v1/changes', { body })).body.id);
  });
  afterEach(() => {
    for (const one of opened.splice(0)) one.abort();
  });
  afterAll(() => api.stop());

  /** Opens a stream. `text` grows as events arrive; `ended` becomes true when the api closes the stream. */
  async function open(key: string, method = 'GET') {
    const stop = new AbortController();
    opened.push(stop);
    const response = await fetch(`${api.url}/v1/changes/${id}/events`, {
      method,
      headers: { authorization: `Bearer ${key}` },
      signal: stop.signal,
    });
    const stream = { status: response.status, response, text: '', ended: false, stop };
    const read = async () => {
      for await (const chunk of response.body ?? []) stream.text += Buffer.from(chunk).toString();
      stream.ended = true;
    };
    read().catch(() => {});
    return stream;
  }
  const keyId = (key: string) => `key_${key.split('_')[1]}`;
  const hasChange = ({ text }: { text: string }) => text.includes('event: change');

  test('ends when its key is revoked, and others go on', async () => {
    const [mine, other] = [await api.newKey(['read']), await api.newKey(['read'])];
    const [revoked, kept] = [await open(mine), await open(other)];
    await until(() => hasChange(revoked) && hasChange(kept));
    await revokeApiKey(api.database.db, keyId(mine), 'test');
    await until(() => revoked.ended);
    expect(kept.ended).toBe(false);
    expect((await open(mine)).status).toBe(401);
  });

  test('ends when its key expires', async () => {
    const key = await api.newKey(['read']);
    const stream = await open(key);
    await until(() => hasChange(stream));
    await sql`update api_key set expires_at = now() where id = ${keyId(key)}`.execute(
      api.database.db,
    );
    await until(() => stream.ended);
  });

  test('ends when the secret that opened it is replaced, unless that is kept for a while', async () => {
    const key = await api.newKey(['read']);
    const rotate = async (keepSeconds: number) =>
      (await rotateApiKey(api.database.db, keyId(key), keepSeconds, 'test'))?.key ?? '';
    const leaked = await open(key);
    const second = await rotate(3_600);
    const current = await open(second);
    await until(() => hasChange(leaked) && hasChange(current));
    expect(leaked.ended).toBe(false);
    const third = await rotate(0);
    await until(() => leaked.ended && current.ended);
    expect([await open(second), await open(third)].map(({ status }) => status)).toEqual([401, 200]);
  });

  test('is refused when its key has too many open, until one of them ends', async () => {
    const key = await api.newKey(['read']);
    const streams = await Promise.all(Array.from({ length: MAX_STREAMS.perKey }, () => open(key)));
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
    const refused = await open(key);
    expect([refused.status, refused.response.headers.get('retry-after')]).toEqual([429, '10']);
    expect((await open(await api.newKey(['read']))).status).toBe(200);
    streams[0]?.stop.abort();
    await until(async () => (await open(key)).status === 200);
  });

  test('is not counted for a request with HEAD', async () => {
    const key = await api.newKey(['read']);
    for (let count = 0; count <= MAX_STREAMS.perKey; count++)
      expect((await open(key, 'HEAD')).status).toBe(200);
  });

  test('is fed by the reads of all: many streams of one change cost a few statements', async () => {
    const key = await api.newKey(['read']);
    const streams = await Promise.all(Array.from({ length: 50 }, () => open(key)));
    await until(() => streams.every(hasChange));
    const reads = async () => {
      const { rows } = await sql<{ reads: string }>`
        select seq_scan + coalesce(idx_scan, 0) as reads from pg_stat_user_tables
        where relname = 'mapping'`.execute(api.database.db);
      return Number(rows[0]?.reads);
    };
    await sql`select pg_stat_force_next_flush()`.execute(api.database.db);
    const before = await reads();
    await ended(api.database.db, id, { state: 'cancelled', reason: null });
    await until(() => streams.every(({ text }) => text.includes('event: end')));
    await sleep(1_500);
    expect((await reads()) - before).toBeLessThan(20);
  });
});

test('a shared read serves callers during a read by the next one, which sees what changed', async () => {
  let value = 0;
  let reads = 0;
  const finish: (() => void)[] = [];
  const read = sharedRead(async () => {
    reads++;
    const seen = value;
    await new Promise<void>((resolve) => finish.push(resolve));
    return seen;
  });
  const first = read('x');
  value = 1;
  const later = [read('x'), read('x'), read('x')];
  finish.shift()?.();
  expect(await first).toBe(0);
  await until(() => finish.length === 1);
  finish.shift()?.();
  expect(await Promise.all(later)).toEqual([1, 1, 1]);
  expect(reads).toBe(2);
});
