import { rmSync } from 'node:fs';
import path from 'node:path';
import { sql } from 'kysely';
import { createMemory } from '../../lookup/remember';
import { revokeApiKey } from '../../store/api-keys';
import { startTestLookup, type TestLookup } from '../support/lookup';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const source = 'warehouse';
const applications = {
  wiki: { source, tickets: { allowed: true } },
  bills: { source },
  bank: { source, credentialCache: false },
};

describeWith(['postgres'], 'the lookup service without its database', () => {
  let lookup: TestLookup;

  beforeAll(async () => {
    lookup = await startTestLookup({ people: ['alice', 'bob'] });
    await lookup.configure(applications);
    for (const application of Object.keys(applications))
      await lookup.store('alice', application, `word in ${application}`);
  });
  afterAll(() => lookup.stop());
  beforeEach(() => restore());

  const get = (person: string, rest: string) =>
    lookup.send(person, 'GET', `/v1/credentials/${rest}`);
  const takeAway = async () => {
    await lookup.proxy.refuse();
    lookup.proxy.cut();
  };
  /** Gives the database back, and waits until the service uses it. */
  const restore = async () => {
    await lookup.proxy.pass();
    await until(async () => {
      const { status, body } = await get('alice', 'wiki');
      return status === 200 && body.fromMemory === false;
    });
  };

  test(
    keeps('a credential that was read stays readable while the database is unavailable', 30),
    async () => {
      const before = await get('alice', 'wiki');
      await takeAway();
      const { status, body } = await get('alice', 'wiki');
      expect({ status, body }).toEqual({
        status: 200,
        body: { ...before.body, fromMemory: true },
      });
    },
  );

  test('while the database is unavailable, no credential is returned that is not in memory', async () => {
    await get('alice', 'bank');
    await takeAway();
    const away = { status: 503, body: { code: 'database_away' } };
    expect(await get('alice', 'bills')).toMatchObject(away);
    expect(await get('alice', 'bank')).toMatchObject(away);
    expect(await get('alice', 'wiki?refresh=true')).toMatchObject(away);
    expect(await get('bob', 'wiki')).toMatchObject(away);
    const ticket = lookup.send('alice', 'POST', '/v1/tickets', { application: 'wiki' });
    expect(await ticket).toMatchObject(away);
  });

  test('until the database is asked again, neither a refresh nor an application without a cache is answered from memory', async () => {
    await get('alice', 'bank');
    await takeAway();
    expect((await get('alice', 'wiki')).body.fromMemory).toBe(true);
    await lookup.proxy.pass();
    expect((await get('alice', 'wiki?refresh=true')).body.fromMemory).not.toBe(true);
    expect((await get('alice', 'bank')).body.fromMemory).not.toBe(true);
  });

  test('a read while the database was unavailable is recorded once the database is back', async () => {
    await lookup.audited();
    await takeAway();
    const readAt = new Date().toISOString();
    await get('alice', 'wiki');
    await get('alice', 'wiki');
    await lookup.proxy.pass();
    const { db } = lookup.database;
    const found = async () => {
      const { rows } = await sql<{ at: string }>`
        select detail ->> 'at' as at from audit where action = 'credential.read' and detail ->> 'at' >= ${readAt}`.execute(
        db,
      );
      return rows;
    };
    await until(async () => (await found()).length === 2);
  });

  test('while the database is available, a newer credential is returned at once', async () => {
    await get('alice', 'wiki');
    await lookup.store('alice', 'wiki', 'the newer word');
    expect((await get('alice', 'wiki')).body.password).toBe('the newer word');
  });

  test(
    keeps('a credential stays readable while the key folder is unavailable, and nothing else', 30),
    async () => {
      await get('alice', 'wiki');
      rmSync(path.join(lookup.keyDir, 'master'), { recursive: true });
      expect((await get('alice', 'wiki')).status).toBe(200);
      await sql`update mapping set master_key_id = 'key_00000000000000000000000000'
                where application = 'bills'`.execute(lookup.database.db);
      expect(await get('alice', 'bills')).toMatchObject({ body: { code: 'keys_away' } });
    },
  );

  test('with a cache of 0 minutes, nothing is returned from memory', async () => {
    await lookup.configure(applications, { sso: { credentialCacheMinutes: 0 } });
    await get('alice', 'wiki');
    await takeAway();
    expect((await get('alice', 'wiki')).status).toBe(503);
    await lookup.proxy.pass();
    await lookup.configure(applications);
  });

  test('a key that was revoked before the database became unavailable is refused', async () => {
    await revokeApiKey(lookup.database.db, lookup.keyOf('bob').id, 'test');
    expect((await get('bob', 'wiki')).status).toBe(401);
    await takeAway();
    expect((await get('bob', 'wiki')).status).toBe(401);
  });
});

const away = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });

test('a value in memory is used until its age limit, and only after an error of an unavailable database', async () => {
  let now = 0;
  const memory = createMemory(() => now);
  const fails = (error: Error) => () => Promise.reject(error);
  await memory.read('one', 60_000, async () => 'value');
  await expect(memory.read('one', 60_000, fails(new Error('syntax')))).rejects.toThrow('syntax');
  expect(await memory.read('one', 60_000, fails(away))).toMatchObject({
    ...{ value: 'value', fromMemory: true },
  });
  await expect(memory.read('other', 60_000, fails(away))).rejects.toBe(away);
  now = 60_000;
  await expect(memory.read('one', 60_000, fails(away))).rejects.toBe(away);
});

test('what does not exist pushes nothing out of the memory that does', async () => {
  const memory = createMemory(() => 0);
  await memory.read('credential', 60_000, async () => 'sealed');
  await memory.read('revoked', 60_000, async () => null);
  for (let key = 0; key < 50_000; key++)
    await memory.read(`invented ${key}`, 60_000, async () => null);
  const fails = () => Promise.reject(away);
  expect(await memory.read('credential', 60_000, fails)).toMatchObject({ value: 'sealed' });
  await expect(memory.read('revoked', 60_000, fails)).rejects.toBe(away);
});

test('an unavailable database is asked at most once a second, so that answers from memory are fast', async () => {
  let now = 0;
  let asked = 0;
  const memory = createMemory(() => now);
  const fails = () => {
    asked++;
    return Promise.reject(away);
  };
  await memory.read('one', 60_000, async () => 'value');
  for (let times = 0; times < 5; times++) await memory.read('one', 60_000, fails);
  expect(asked).toBe(1);
  now = 1_000;
  expect((await memory.read('one', 60_000, async () => 'newer')).value).toBe('newer');
});

describeWith(['postgres'], 'the lookup service with a database that does not answer', () => {
  let lookup: TestLookup;
  beforeAll(async () => {
    lookup = await startTestLookup({ people: ['alice'], answersWithinMs: 2_000 });
    await lookup.configure(applications);
    await lookup.store('alice', 'wiki', 'word in wiki');
  });
  afterAll(() => lookup.stop());

  test('a credential that was read stays readable while the database accepts connections and answers nothing', async () => {
    const get = () => lookup.send('alice', 'GET', '/v1/credentials/wiki');
    await until(async () => (await get()).status === 200);
    lookup.proxy.silence();
    await until(async () => (await get()).body.fromMemory === true);
    lookup.proxy.cut();
    await lookup.proxy.pass();
    await until(async () => (await get()).body.fromMemory === false);
  });
});
