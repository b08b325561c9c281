import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { destroyPasswords, unseal } from '../../sealing/passwords';
import { ensureEpoch } from '../../store/worker/epochs';
import { openKeyDirectory } from '../../store/worker/keys/key-directory';
import { noteWaiting, readChangeAtWork } from '../../store/worker/outcomes';
import { type Reply, startTestApi, type TestApi } from '../support/api';
import {
  addPerson,
  applyTestConfiguration,
  ended,
  planned,
  settled,
} from '../support/played-worker';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const PASSWORD = 'correct horse battery staple';

describeWith(['postgres'], 'changes', () => {
  let api: TestApi;
  let people = 0;

  beforeAll(async () => {
    api = await startTestApi({ env: { TEMPORAL_UI_URL: 'http://127.0.0.1:8233/' } });
    await applyTestConfiguration(api.database.db);
  });
  afterAll(async () => {
    await Promise.all([api, ...others].map((one) => one.stop()));
  });

  const others: TestApi[] = [];
  /** Another API with its own database, for tests that change what other tests rely on. */
  async function another(worker = true): Promise<TestApi> {
    const other = await startTestApi({ worker });
    others.push(other);
    await applyTestConfiguration(other.database.db);
    await addPerson(other.database.db, 'alice');
    return other;
  }

  /** A new person that no other test uses. */
  async function person(sources?: readonly string[]): Promise<string> {
    const name = `person-${++people}`;
    await addPerson(api.database.db, name, sources);
    return name;
  }

  const start = (identity: string, headers: Record<string, string> = {}, more: object = {}) =>
    api.send('POST', '/v1/changes', {
      body: { identity, password: PASSWORD, ...more },
      headers,
    });
  const idOf = ({ body }: Reply) => String(body.id);
  test('the next attempt of a waiting account is never in the past, and a due attempt shows the time of the answer', async () => {
    const alice = await person();
    const id = idOf(await start(alice));
    await planned(api.database.db, id, alice);
    const wait = { state: 'waiting', reason: 'unknown', proof: 'none' } as const;
    await settled(api.database.db, id, 'directory', { ...wait, nextTryInMs: -3_600_000 });
    await settled(api.database.db, id, 'warehouse', { ...wait, nextTryInMs: 3_600_000 });
    const before = Date.now();
    const { body } = await api.send('GET', `/v1/changes/${id}`);
    const [due, later] = (body.accounts as { nextTryAt: string }[]).map(({ nextTryAt }) =>
      Date.parse(nextTryAt),
    );
    expect(due).toBeGreaterThanOrEqual(before - 1_000);
    expect(due).toBeLessThanOrEqual(Date.now() + 1_000);
    expect(later).toBeGreaterThan(before + 3_000_000);
  });

  test('a change whose open accounts are all parked waits for an operator, and promises no further attempt', async () => {
    const alice = await person();
    const id = idOf(await start(alice));
    await planned(api.database.db, id, alice);
    await settled(api.database.db, id, 'directory');
    const parked = { state: 'parked', reason: 'unreachable', proof: 'none' } as const;
    await settled(api.database.db, id, 'warehouse', parked);
    await noteWaiting(api.database.db, id);
    const { body } = await api.send('GET', `/v1/changes/${id}`);
    expect(body).toMatchObject({
      state: 'waiting',
      says: 'some accounts are parked until an operator retries or cancels them',
      accounts: [{}, { nextTryAt: null, reasonSays: expect.not.stringContaining('retries') }],
    });
  });

  test('an accepted change can be read at the URL in the answer', async () => {
    const alice = await person();
    const reply = await start(alice);
    expect(reply.status).toBe(202);
    expect(reply.body).toMatchObject({
      identity: alice,
      seq: 1,
      groups: ['one-password'],
      state: 'accepted',
      says: 'accepted, not begun',
      requestedBy: 'first admin',
      endedAt: null,
      waitingFor: null,
      accounts: [],
      links: { temporal: `http://127.0.0.1:8233/namespaces/lockstep/workflows/${idOf(reply)}` },
    });
    const read = await api.send('GET', reply.headers.get('location') ?? '');
    expect(read.body).toEqual(reply.body);
    const { rows } = await api.database.pool.query(
      'select round(extract(epoch from expires_at - created_at) / 3600)::int as hours from change where id = $1',
      [idOf(reply)],
    );
    expect(rows[0].hours).toBe(72);
  });

  test('a change can name the person by an account', async () => {
    const alice = await person();
    const body = { account: { source: 'warehouse', name: alice }, password: PASSWORD };
    expect((await api.send('POST', '/v1/changes', { body })).body.identity).toBe(alice);
  });

  test('a sealed password opens only with the key of the worker, and only for its change', async () => {
    const alice = await person();
    const reply = await start(alice, {}, { currentPassword: 'the one before' });
    const row = (await readChangeAtWork(api.database.db, idOf(reply)))?.sealed ?? null;
    const { rows } = await api.database.pool.query('select * from change where id = $1', [
      idOf(reply),
    ]);
    const sealedFor = {
      changeId: idOf(reply),
      identityId: rows[0].identity_id,
      seq: 1,
      expiresAt: rows[0].expires_at,
    };
    if (row === null) throw new Error('nothing is sealed');
    const key = await api.keys.epochKey(row.epochId);
    if (key === null) throw new Error('the worker has no key');
    const opened = await unseal(row.jwe, key, sealedFor);
    expect([opened.next.text(), opened.current?.text()]).toEqual([PASSWORD, 'the one before']);
    destroyPasswords(opened);
    await expect(unseal(row.jwe, key, { ...sealedFor, seq: 2 })).rejects.toThrow();
    const { privateKey } = generateKeyPairSync('x25519');
    await expect(unseal(row.jwe, privateKey, sealedFor)).rejects.toThrow();
  });

  test('no file of the API contains a private key', () => {
    const held = readdirSync(api.dir, { withFileTypes: true }).filter((entry) => entry.isFile());
    expect(held.map(({ name }) => name).sort()).toEqual([
      'admin-key',
      'api.log',
      'fingerprint.key',
    ]);
    for (const { name } of held)
      expect(() => createPrivateKey(readFileSync(path.join(api.dir, name)))).toThrow();
  });

  test(keeps('the answer lists every broken rule of every covered group at once', 8), async () => {
    await addPerson(api.database.db, 'zacharias');
    const reply = await start('zacharias', {}, { password: 'zacharias' });
    expect(reply.status).toBe(422);
    expect(reply.body).toMatchObject({
      code: 'password_against_policy',
      violations: [
        { rule: 'minLength', says: 'Use at least 12 characters.' },
        { rule: 'identityWordMinLength' },
      ],
    });
  });

  test('a change of a person in groups with different auth sources must name the group', async () => {
    const alice = await person(['directory', 'ledger']);
    expect((await start(alice)).body).toMatchObject({ status: 422, code: 'group_needed' });
    expect((await start(alice, {}, { group: 'nothing' })).body).toMatchObject({ code: 'no_group' });
    const body = { group: 'finance', password: `${PASSWORD} 12` };
    expect((await start(alice, {}, body)).body).toMatchObject({ groups: ['finance'] });
  });

  test('a change of a person without an account in any group is rejected', async () => {
    const alice = await person([]);
    expect((await start(alice)).body).toMatchObject({ status: 422, code: 'no_group' });
  });

  test('concurrent changes of one person are all accepted, each with its own number', async () => {
    const alice = await person();
    const replies = await Promise.all([...Array(10).keys()].map(() => start(alice)));
    expect(replies.map(({ status }) => status)).toEqual(Array(10).fill(202));
    const numbers = replies.map(({ body }) => Number(body.seq)).sort((a, b) => a - b);
    expect(numbers).toEqual([...Array(10).keys()].map((index) => index + 1));
  });

  test(keeps('the API does not seal to an epoch that was destroyed early', 30), async () => {
    const other = await another();
    const body = { identity: 'alice', password: PASSWORD };
    expect((await other.send('POST', '/v1/changes', { body })).status).toBe(202);
    await other.database.pool.query('update epoch set destroyed_at = now()');
    const refused = await other.send('POST', '/v1/changes', { body });
    expect(refused.body).toMatchObject({ status: 503, code: 'no_epoch' });
    expect(refused.headers.get('retry-after')).toBe('5');
  });

  test('the API does not seal to an epoch that another signer has published', async () => {
    const other = await another(false);
    const impostor = await openKeyDirectory(path.join(other.dir, 'impostor'));
    await ensureEpoch(other.database.db, impostor, 24);
    const body = { identity: 'alice', password: PASSWORD };
    const refused = await other.send('POST', '/v1/changes', { body });
    expect(refused.body).toMatchObject({ status: 503, code: 'no_epoch' });
  });

  test('cancel, retry and park become commands for one account or all, and are rejected once the change has ended', async () => {
    const alice = await person();
    const id = idOf(await start(alice));
    await planned(api.database.db, id, alice);
    const send = (path: string, body?: unknown) =>
      api.send('POST', `/v1/changes/${id}/${path}`, { body });
    expect((await send('retry')).status).toBe(202);
    expect((await send('retry', { account: 'warehouse' })).body).toMatchObject({ id });
    expect((await send('retry', { account: 'nowhere' })).status).toBe(404);
    expect((await send('park', { account: 'warehouse' })).status).toBe(202);
    expect((await send('cancel', { account: 'warehouse' })).status).toBe(202);
    expect((await send('cancel', { account: 'nowhere' })).status).toBe(404);
    expect((await send('cancel')).status).toBe(202);
    const { rows } = await api.database.pool.query(
      'select kind, label from command where change_id = $1 order by id',
      [id],
    );
    expect(rows).toEqual([
      { kind: 'retry', label: null },
      { kind: 'retry', label: 'warehouse' },
      { kind: 'park', label: 'warehouse' },
      { kind: 'cancel', label: 'warehouse' },
      { kind: 'cancel', label: null },
    ]);
    await ended(api.database.db, id, { state: 'cancelled', reason: null });
    expect((await send('cancel')).body).toMatchObject({ status: 409, code: 'change_ended' });
    for (const verb of ['retry', 'park'])
      expect((await send(verb)).body).toMatchObject({ status: 409, code: 'change_ended' });
  });

  test('pages list every change once, the newest first', async () => {
    const alice = await person();
    const ids: string[] = [];
    for (let count = 0; count < 7; count++) ids.push(idOf(await start(alice)));
    const seen: string[] = [];
    let next: unknown = null;
    do {
      const cursor = next === null ? '' : `&cursor=${next}`;
      const { body } = await api.send('GET', `/v1/changes?identity=${alice}&limit=3${cursor}`);
      seen.push(...(body.changes as { id: string }[]).map(({ id }) => id));
      next = body.next;
    } while (next !== null);
    expect(seen).toEqual(ids.sort().reverse());
  });

  test('the list can be filtered by state, person and source', async () => {
    const alice = await person();
    const [open, over] = [idOf(await start(alice)), idOf(await start(alice))];
    await planned(api.database.db, over, alice);
    await ended(api.database.db, over, { state: 'cancelled', reason: null });
    const ids = async (query: string) => {
      const { body } = await api.send('GET', `/v1/changes?identity=${alice}&${query}`);
      return (body.changes as { id: string }[]).map(({ id }) => id);
    };
    expect(await ids('state=cancelled')).toEqual([over]);
    expect(await ids('state=accepted')).toEqual([open]);
    expect(await ids('source=warehouse')).toEqual([over]);
    expect(await ids('source=crm')).toEqual([]);
  });

  test('the audit records of a change name the API key that requested it', async () => {
    const alice = await person();
    const { body } = await api.send('GET', `/v1/changes/${idOf(await start(alice))}/audit`);
    expect(body.records).toMatchObject([
      {
        action: 'change.accepted',
        actor: { id: expect.stringMatching(/^api-key:key_/), name: expect.any(String) },
        says: `A new password of ${alice} was accepted.`,
        detail: { seq: 1 },
      },
    ]);
  });

  test('a change shows what it waits for if no worker runs or none reaches Temporal', async () => {
    const other = await another();
    const { pool } = other.database;
    const body = { identity: 'alice', password: PASSWORD };
    await pool.query('update worker_presence set engine_reachable = false');
    const first = await other.send('POST', '/v1/changes', { body });
    expect(first.body.waitingFor).toBe('engine');
    await pool.query('delete from worker_presence');
    await until(async () => {
      const { body: change } = await other.send('GET', `/v1/changes/${idOf(first)}`);
      return change.waitingFor === 'worker';
    });
  });
});
