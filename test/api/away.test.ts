import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Client } from 'pg';
import { freePort } from '../../local/ports';
import { clientOf, type LocalPostgres, startPostgres } from '../../local/postgres';
import { startTestApi, type TestApi } from '../support/api';
import { testDatabase } from '../support/database';
import { follow } from '../support/event-stream';
import { addPerson, applyTestConfiguration, ended } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const body = { identity: 'alice', password: 'correct horse battery staple' };

describeWith(['postgres'], 'the API without a database', () => {
  let postgres: LocalPostgres;
  let api: TestApi;
  const settings = { max_connections: '40' };
  const options = { report: () => undefined, dir: '', port: 0, durable: false, settings };

  beforeAll(async () => {
    options.dir = mkdtempSync(path.join('/var/tmp', 'lockstep-away-'));
    chmodSync(options.dir, 0o755);
    options.port = await freePort();
    postgres = await startPostgres(options);
    api = await startTestApi({ database: await testDatabase(postgres.url) });
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
  });
  afterAll(async () => {
    await api.stop();
    await postgres.stop();
    rmSync(options.dir, { recursive: true });
  });

  const send = () => api.send('POST', '/v1/changes', { body });

  test('during database outages the API rejects passwords, stores nothing partially and recovers by itself', async () => {
    expect((await send()).status).toBe(202);
    let accepted = 1;
    let away = 0;
    let over = false;
    const load = (async () => {
      while (!over) {
        const { status } = await send();
        if (status === 202) accepted++;
        else away++;
        expect([202, 503]).toContain(status);
      }
    })();
    for (let outage = 0; outage < 3; outage++) {
      const [acceptedBefore, awayBefore] = [accepted, away];
      await until(() => accepted > acceptedBefore + 5);
      await postgres.stop();
      const refused = await send();
      expect(refused.body).toMatchObject({ status: 503, code: 'database_away' });
      expect(refused.headers.get('retry-after')).toBe('5');
      expect(await (await fetch(`${api.opsUrl}/readyz`)).text()).toBe('missing: database\n');
      expect((await fetch(`${api.opsUrl}/livez`)).status).toBe(200);
      await until(() => away > awayBefore + 2);
      postgres = await startPostgres(options);
    }
    const acceptedBefore = accepted;
    await until(() => accepted > acceptedBefore + 5);
    over = true;
    await load;
    const { rows } = await api.database.pool.query(
      `select count(*)::int as changes, count(jwe)::int as sealed, max(seq)::int as seq,
              (select count(*)::int from audit where action = 'change.accepted') as audited,
              (select last_seq::int from identity where name = 'alice') as last
       from change left join sealed_secret on change_id = id`,
    );
    const [{ changes, ...others }] = rows;
    // Each outage may leave one more change than was answered: the connection broke after the commit.
    expect(changes).toBeGreaterThanOrEqual(accepted);
    expect(changes).toBeLessThanOrEqual(accepted + 3);
    expect(others).toEqual({ sealed: changes, seq: changes, audited: changes, last: changes });
  });

  test('a client that follows a change is updated once the database is back', async () => {
    const { body: change } = await send();
    const events = follow(api, `/v1/changes/${change.id}/events`);
    expect(await events.next()).toMatchObject({ data: { state: 'accepted' } });
    await postgres.stop();
    postgres = await startPostgres(options);
    const cancelled = { state: 'cancelled', reason: null } as const;
    await ended(api.database.db, String(change.id), cancelled);
    expect(await events.next()).toMatchObject({ data: { state: 'cancelled' } });
    expect(await events.next()).toMatchObject({ event: 'end' });
  });

  test('the API waits for the database when it starts', async () => {
    await api.stopProcess();
    await postgres.stop();
    const starting = api.restart();
    await until(() => api.printed().includes('the database cannot be reached'));
    expect(await send()).toMatchObject({ status: 503, body: { code: 'database_away' } });
    expect(await (await fetch(`${api.opsUrl}/readyz`)).text()).toBe('missing: database\n');
    postgres = await startPostgres(options);
    await starting;
    expect((await send()).status).toBe(202);
  });

  test('the API answers 503 while PostgreSQL has no free connection, also when it starts', async () => {
    const url = new URL(api.database.url);
    const idle: Client[] = [];
    const { rows } = await api.database.pool.query('show max_connections');
    await api.stopProcess();
    // Only the superuser may use the last connections, so that this test takes them as well.
    while (idle.length < Number(rows[0].max_connections)) {
      const client = clientOf({ connectionString: url.href });
      client.on('error', () => {});
      idle.push(client);
      if (
        !(await client.connect().then(
          () => true,
          () => false,
        ))
      )
        break;
    }
    const starting = api.restart();
    await until(() => api.printed().includes('it has no free connection'));
    expect(await send()).toMatchObject({ status: 503, body: { code: 'database_away' } });
    await Promise.all(idle.map((client) => client.end().catch(() => {})));
    await starting;
    expect((await send()).status).toBe(202);
  }, 60_000);
});
