import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { compactDecrypt } from 'jose';
import { sql } from 'kysely';
import { auditSays } from '../../model/audit/says';
import { revokeApiKey } from '../../store/api-keys';
import { anyRecord, readAudit } from '../../store/audit-records';
import { lockstep } from '../cli/run-cli';
import {
  adapterKeyOf,
  type PlayedAdapter,
  playAdapter,
  type SampleAdapter,
  startSample,
} from '../support/adapters';
import type { TestApi } from '../support/api';
import { createScanner } from '../support/canary';
import { newPassword, uniqueName } from '../support/people';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { companyDocument, workerSuite } from '../support/worker-suite';

/** Sources of the kind `pull`, whose adapters are samples of the documentation or played by the test. */
describeWith(['slapd', 'postgres', 'temporal'], 'a source whose adapter pulls', () => {
  const suite = workerSuite();
  let api: TestApi;
  let adapter: PlayedAdapter;

  beforeAll(async () => {
    api = await suite.startApi();
    adapter = await playAdapter(api, 'legacy');
  });
  beforeEach(async () => {
    await suite.lockstep.configure(document());
    await adapter.call('initialise');
  });

  /** The sources `legacy` and `loop` have adapters; the directory is the auth source. */
  function document(settings: object = {}, more: object = {}, others: object = {}) {
    const base = companyDocument(suite.company) as { sources: object };
    const kind = { kind: 'pull', settings: { retryDelaySeconds: 30, ...settings } };
    const loop = { ...kind, capture: { enabled: true, verifyCurrent: false } };
    const sources = ['directory', 'apps', 'crm', 'legacy', 'loop', ...Object.keys(others)];
    return {
      ...base,
      sources: { ...base.sources, legacy: { ...kind, ...more }, loop, ...others },
      groups: { all: { policy: 'everyone', authSource: 'directory', sources } },
    };
  }

  const racf = {
    racf: {
      ...{ kind: 'pull', settings: { names: 'ignore-case' } },
      passwordFilter: { case: 'upper', allowed: 'A-Z0-9@#$', maxLength: 8 },
      capture: { enabled: true, verifyCurrent: false },
    },
  };

  /** Adds a person with an account in the directory and one that an adapter serves. */
  async function addPerson(source = 'legacy') {
    const directory = await suite.company.addAccount('directory');
    const account = `USER${uniqueName()}`;
    const person = await suite.lockstep.addPerson([directory, { source, name: account }]);
    return { person, account, directory };
  }
  async function change(of?: Awaited<ReturnType<typeof addPerson>>, source = 'legacy') {
    const who = of ?? (await addPerson(source));
    const password = newPassword();
    return { ...who, password, id: await suite.lockstep.accept({ person: who.person, password }) };
  }
  const outcomeIn = (view: Awaited<ReturnType<typeof suite.lockstep.read>>, source = 'legacy') =>
    view.accounts.find((account) => account.source === source);
  const ended = async (id: string) => outcomeIn(await suite.lockstep.readEnd(id));
  const waits = async (id: string, reason: string) =>
    outcomeIn(
      await suite.lockstep.readUntil(id, (view) => {
        const outcome = outcomeIn(view);
        return outcome?.state === 'waiting' && outcome.reason === reason;
      }),
    );
  const inDoubt = async (id: string) => {
    const rows = suite.lockstep.database.db.selectFrom('outcome').select('in_doubt');
    const row = await rows.where('change_id', '=', id).where('source', '=', 'legacy');
    return (await row.executeTakeFirst())?.in_doubt;
  };
  const messages = (id: string) =>
    suite.lockstep.database.db
      .selectFrom('adapter_message')
      .selectAll()
      .where('change_id', '=', id)
      .execute();

  /** What the audit reports about adapters, the oldest first. */
  async function audited(): Promise<string[]> {
    const page = { filter: anyRecord, order: 'newest', cursor: null, limit: 50 } as const;
    const records = await readAudit(suite.lockstep.database.db, page);
    return records
      .filter(({ action }) => action.startsWith('adapter.'))
      .map(auditSays)
      .reverse();
  }

  /** The id of the change that a sample has started. It prints the answer of send. */
  async function changeOf(sample: SampleAdapter): Promise<string> {
    await sample.prints(/chg_[0-9a-z]{26}/);
    return /chg_[0-9a-z]{26}/.exec(sample.printed())?.[0] ?? '';
  }

  const hasJq = spawnSync('jq', ['--version']).status === 0;
  const samples = ['loopback_adapter.py', ...(hasJq ? ['loopback_adapter.sh'] : [])];
  if (!hasJq) test.skip('the sample in shell (skipped: this machine has no jq)', () => {});

  test.each(samples)(
    '%s acknowledges a change and sends it back, which Lockstep recognizes as an echo',
    async (file) => {
      const sample = await startSample(api, { file, source: 'loop' });
      const { id } = await change(undefined, 'loop');
      const view = await suite.lockstep.readEnd(id);
      expect(outcomeIn(view, 'loop')).toMatchObject({ state: 'applied' });
      await sample.prints('echo');
      await sample.prints('recorded');
      await sample.stop();
      const { body } = await api.send('GET', '/v1/adapters/loop', {
        key: await api.newKey(['read']),
      });
      expect(body).toMatchObject({ online: false });
    },
  );

  test.each(samples)('%s sends a change, which reaches the directory', async (file) => {
    const { account, directory } = await addPerson('loop');
    const password = newPassword();
    const sample = await startSample(api, {
      ...{ file, source: 'loop', more: [account], stdin: password },
    });
    await suite.lockstep.readEnd(await changeOf(sample));
    expect(await directory.logsIn(password)).toBe(true);
  });

  /** Configures `racf` as an adapter of single sign-on or without it, and adds a person with an account of 8 letters. */
  async function startRacf(more: object = {}, further: object = {}) {
    const source = { racf: { ...racf.racf, ...more } };
    await suite.lockstep.configure({ ...document({}, {}, source), ...further });
    const directory = await suite.company.addAccount('directory');
    const account = uniqueName().slice(0, 8).toUpperCase();
    const person = await suite.lockstep.addPerson([directory, { source: 'racf', name: account }]);
    const file = path.join(api.dir, `racf-${account}.txt`);
    writeFileSync(file, `${account} OLDPASS1\n`);
    const create = ['keys', 'create', 'adapter of racf', '--scope', 'adapter', '--source', 'racf'];
    const keyFile = path.join(api.dir, 'admin-of-racf');
    const adminKey = await api.newKey(['admin']);
    writeFileSync(keyFile, adminKey);
    const env = { LOCKSTEP_URL: api.url, LOCKSTEP_API_KEY_FILE: keyFile };
    const key = (await lockstep(create, { env })).stdout.trim();
    const sample = { file: 'racf_adapter.py', source: 'racf', key };
    const sent = { ...sample, more: [file, account], stdin: 'OLDPASS1\nnewpass2\n' };
    const send = async () => suite.lockstep.readEnd(await changeOf(await startSample(api, sent)));
    return { directory, account, person, file, sample, send, adminKey };
  }

  test('racf_adapter.py sends a change that was made with the old password, and refuses one without it', async () => {
    const { directory, account, person, file, sample, send } = await startRacf();
    await send();
    expect(await directory.logsIn('NEWPASS2')).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe(`${account} NEWPASS2\n`);

    const running = await startSample(api, { ...sample, more: [file] });
    const id = await suite.lockstep.accept({ person, password: newPassword() });
    const outcome = outcomeIn(await suite.lockstep.readEnd(id), 'racf');
    const refused = {
      ...{ state: 'rejected', reason: 'old_password_refused', vendorCode: 'ICH408I.OLDPASS' },
    };
    expect(outcome).toMatchObject(refused);
    await running.prints(`${account}: rejected old_password_refused recorded`);
    expect(await running.stop()).toBe(0);
    expect(
      (await api.send('GET', '/v1/adapters/racf', { key: await api.newKey(['read']) })).body,
    ).toMatchObject({
      ...{ source: 'racf', online: false, ownKey: false, pending: 0 },
    });
  });

  test('racf_adapter.py names the missing file of passwords and the missing line of stdin', async () => {
    const { file, sample } = await startRacf();
    const missing = await startSample(api, { ...sample, more: [`${file}.missing`] });
    await missing.prints(`${file}.missing does not exist. Create it`);
    const more = [file, 'USER'];
    const incomplete = await startSample(api, { ...sample, more, stdin: 'ONELINE1\n' });
    await incomplete.prints('Give two lines on stdin');
  });

  test('racf_adapter.py gets the stored password with the new one, in both directions', async () => {
    const { directory, account, person, file, sample, send, adminKey } = await startRacf(
      {
        adapter: {
          ...{ enabled: true, applications: ['mainframe'], syncToAdapter: true },
          ...{ sendOldPassword: true, syncFromAdapter: true, verifyOldPassword: false },
          changeWindowsPassword: true,
        },
      },
      {
        applications: { mainframe: { source: 'racf' } },
        sso: {
          switches: { windowsToAdapters: true, adaptersToStore: true, adaptersToWindows: true },
        },
      },
    );
    const body = { mappings: [{ application: 'mainframe', account, enabled: true }] };
    await api.send('PUT', `/v1/identities/${person}`, { key: adminKey, body });
    expect(await send()).toMatchObject({ state: 'done' });
    expect(await directory.logsIn('NEWPASS2')).toBe(true);

    const running = await startSample(api, { ...sample, more: [file] });
    const id = await suite.lockstep.accept({ person, password: 'A Longer One: 3' });
    expect(await suite.lockstep.readEnd(id)).toMatchObject({ state: 'done' });
    expect(readFileSync(file, 'utf8')).toBe(`${account} ALONGERO\n`);
    await running.stop();
  });

  test('a repeated send without a time answers with the change that it has started', async () => {
    const { account, directory } = await addPerson('loop');
    const key = await adapterKeyOf(api, 'loop');
    const password = newPassword();
    const send = () =>
      api.send('POST', '/v1/adapters/loop/send', {
        ...{ key, body: { account, password }, headers: { 'idempotency-key': 'one-of-loop' } },
      });
    const first = await send();
    await suite.lockstep.readEnd(String(first.body.id));
    const again = await send();
    expect([again.status, again.body.id]).toEqual([202, first.body.id]);
    expect(await directory.logsIn(password)).toBe(true);
  });

  test('an adapter receives the account with the new password, and its acknowledgement becomes the outcome', async () => {
    const { id, account, password } = await change();
    const [received] = await adapter.receive();
    const trackingId = received?.trackingId ?? '';
    expect(received).toEqual({
      trackingId: expect.stringMatching(/^msg_/),
      delivery: 1,
      acknowledgeBy: expect.any(String),
      message: { trackingId, operation: 'setPassword', account, password, oldPassword: null },
    });
    expect(await adapter.complete(trackingId, 'applied')).toBe('recorded');
    expect(await ended(id)).toMatchObject({ state: 'applied', proof: 'none' });
    expect(await adapter.complete(trackingId, 'applied')).toBe('repeated');
    expect(await adapter.complete(trackingId, 'rejected')).toBe('too_late');
    expect(await ended(id)).toMatchObject({ state: 'applied' });
  });

  test('the audit names the adapter, the message and its result', async () => {
    const { id, account, person } = await change();
    const [received] = await adapter.receive();
    await adapter.complete(received?.trackingId ?? '', 'applied');
    await adapter.call('status', { status: 'offline' });
    await ended(id);
    const { trackingId } = received ?? {};
    expect((await audited()).slice(-4)).toEqual([
      'The adapter of legacy has connected, without a key of its own.',
      `The password of the account ${account} in legacy of ${person} was delivered to the adapter (message ${trackingId}, delivery 1).`,
      `The adapter of legacy acknowledged the message ${trackingId} with applied.`,
      'The adapter of legacy reported that it goes offline.',
    ]);
  });

  test('a rejection ends the account with its reason and code, and leaves no doubt', async () => {
    const { id, password } = await change();
    const [received] = await adapter.receive();
    await adapter.complete(received?.trackingId ?? '', 'rejected', {
      ...{ reason: 'policy_history', code: 'ICH408I', message: `it repeats ${password}` },
    });
    const rejected = { state: 'rejected', reason: 'policy_history', vendorCode: 'ICH408I' };
    expect(await ended(id)).toMatchObject(rejected);
    expect(await inDoubt(id)).toBe(false);
  });

  test('a rejection that comes after the write has become doubtful leaves no doubt either', async () => {
    const { id } = await change();
    const [received] = await adapter.receive();
    await waits(id, 'awaiting_acknowledgement');
    expect(await inDoubt(id)).toBe(true);
    await adapter.complete(received?.trackingId ?? '', 'rejected', { reason: 'policy' });
    expect(await ended(id)).toMatchObject({ state: 'rejected', reason: 'policy' });
    expect(await inDoubt(id)).toBe(false);
  });

  test('a code that repeats the password is dropped', async () => {
    const who = await addPerson();
    const password = `Code-${uniqueName()}-7`;
    const id = await suite.lockstep.accept({ person: who.person, password });
    const [received] = await adapter.receive();
    await adapter.complete(received?.trackingId ?? '', 'rejected', { code: password });
    expect(await ended(id)).toMatchObject({ state: 'rejected', vendorCode: null });
  });

  test('an adapter that asks for another attempt gets a new message', async () => {
    const { id } = await change();
    const [first] = await adapter.receive();
    await adapter.complete(first?.trackingId ?? '', 'retry', { reason: 'account_locked' });
    expect(await waits(id, 'account_locked')).toMatchObject({ state: 'waiting' });
    await suite.lockstep.command(id, 'retry');
    const [second] = await adapter.receive();
    expect(second?.trackingId).not.toBe(first?.trackingId);
    await adapter.complete(second?.trackingId ?? '', 'applied');
    expect(await ended(id)).toMatchObject({ state: 'applied' });
  });

  test('a message without an acknowledgement is delivered again under its tracking id, then the account is reported as failed', async () => {
    await suite.lockstep.configure(document({ retryCount: 2, retryDelaySeconds: 1 }));
    const { id } = await change();
    const deliveries = [];
    for (let count = 0; count < 3; count++) deliveries.push(...(await adapter.receive()));
    const trackingId = deliveries[0]?.trackingId ?? '';
    expect(deliveries.map((one) => [one.trackingId, one.delivery])).toEqual([
      [trackingId, 1],
      [trackingId, 2],
      [trackingId, 3],
    ]);
    expect(await ended(id)).toMatchObject({ state: 'rejected', reason: 'not_acknowledged' });
    expect(await inDoubt(id)).toBe(true);
    expect(await adapter.complete(trackingId, 'applied')).toBe('too_late');
    expect((await messages(id)).map(({ sealed }) => sealed)).toEqual([null]);
  });

  test('an acknowledgement after many seconds is the outcome at once', async () => {
    const { id } = await change();
    const [received] = await adapter.receive();
    const waiting = await waits(id, 'awaiting_acknowledgement');
    expect(waiting?.nextTryAt?.getTime()).toBeGreaterThan(Date.now() + 1_000);
    await adapter.complete(received?.trackingId ?? '', 'applied');
    expect(await ended(id)).toMatchObject({ state: 'applied' });
    expect(await messages(id)).toHaveLength(1);
  });

  test('an adapter with too many unacknowledged messages receives no more until it acknowledges one', async () => {
    await suite.lockstep.configure(document({ maxPending: 2 }));
    const ids = [(await change()).id, (await change()).id, (await change()).id];
    const first = await adapter.receive({ max: 5 });
    const second = first.length < 2 ? await adapter.receive({ max: 5 }) : [];
    const received = [...first, ...second];
    expect(received).toHaveLength(2);
    const refused = await adapter.call('receive', { max: 1 });
    expect([refused.status, refused.body.code]).toEqual([429, 'too_many_pending']);
    for (const { trackingId } of received) await adapter.complete(trackingId, 'applied');
    const [third] = await adapter.receive();
    await adapter.complete(third?.trackingId ?? '', 'applied');
    for (const id of ids) expect(await ended(id)).toMatchObject({ state: 'applied' });
  });

  test('the changes of an adapter that is offline wait, and continue when it connects again', async () => {
    await adapter.call('status', { status: 'offline' });
    const { id } = await change();
    expect(await waits(id, 'adapter_unreachable')).toMatchObject({ state: 'waiting' });
    expect(await messages(id)).toEqual([]);
    await adapter.call('initialise');
    const [received] = await adapter.receive();
    await adapter.complete(received?.trackingId ?? '', 'applied');
    expect(await ended(id)).toMatchObject({ state: 'applied' });
  });

  test('without storeWhenOffline, the account of an adapter that is offline is reported as failed at once', async () => {
    await suite.lockstep.configure(document({ storeWhenOffline: false }));
    await adapter.call('status', { status: 'offline' });
    const { id } = await change();
    expect(await ended(id)).toMatchObject({ state: 'rejected', reason: 'adapter_offline' });
  });

  test('an adapter that is killed and connects again gets what it has not acknowledged, before its time has passed', async () => {
    const { id } = await change();
    const [before] = await adapter.receive();
    const { body } = await adapter.call('initialise');
    expect(body).toMatchObject({ sealed: false, unacknowledged: 1, maxPending: 8 });
    const [after] = await adapter.receive();
    expect(after).toMatchObject({ trackingId: before?.trackingId, delivery: 2 });
    await adapter.complete(after?.trackingId ?? '', 'applied');
    expect(await ended(id)).toMatchObject({ state: 'applied' });
  });

  test('after a restart of the API the adapter connects again, and gets the same message sealed to its new session', async () => {
    const { id } = await change();
    const [before] = await adapter.receive();
    await api.restart();
    const lost = await adapter.call('receive');
    expect([lost.status, lost.body.code]).toEqual([409, 'adapter_not_initialised']);
    await adapter.call('initialise');
    const [after] = await adapter.receive();
    expect(after).toMatchObject({ trackingId: before?.trackingId, message: before?.message });
    await adapter.complete(after?.trackingId ?? '', 'applied');
    expect(await ended(id)).toMatchObject({ state: 'applied' });
    expect(await messages(id)).toHaveLength(1);
  });

  test.each([
    ['zero', Buffer.alloc(32)],
    ['one', Buffer.alloc(32).fill(1, 0, 1)],
  ])('an adapter cannot register a key without a shared secret: %s', async (_what, point) => {
    const publicKey = { kty: 'OKP', crv: 'X25519', x: point.toString('base64url') };
    expect(await adapter.call('initialise', { publicKey })).toMatchObject({
      status: 400,
      body: { issues: [{ path: ['publicKey', 'x'] }] },
    });
  });

  test('an adapter with a key of its own gets messages that nothing else can open', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    const jwk = publicKey.export({ format: 'jwk' });
    const { body } = await adapter.call('initialise', { publicKey: jwk });
    expect(body).toMatchObject({ sealed: true });
    const { id, account, password } = await change();
    const [received] = await adapter.receive();
    expect(received?.message).toBeUndefined();
    const { plaintext, protectedHeader } = await compactDecrypt(received?.sealed ?? '', privateKey);
    expect(protectedHeader).toEqual({
      ...{ alg: 'ECDH-ES', enc: 'A256GCM', kid: body.keyId, cty: 'application/json' },
      epk: expect.any(Object),
    });
    const { trackingId } = received ?? {};
    const opened = { trackingId, operation: 'setPassword', account, password, oldPassword: null };
    expect(JSON.parse(Buffer.from(plaintext).toString())).toEqual(opened);
    await adapter.complete(trackingId ?? '', 'applied');
    expect(await ended(id)).toMatchObject({ state: 'applied' });
  });

  test('the messages of a change that ends or is cancelled are not delivered', async () => {
    await suite.lockstep.configure(document({ retryDelaySeconds: 1 }));
    const { id } = await change();
    const [received] = await adapter.receive();
    await waits(id, 'awaiting_acknowledgement');
    await suite.lockstep.command(id, 'cancel');
    expect(await ended(id)).toMatchObject({ state: 'cancelled' });
    expect(await inDoubt(id)).toBe(true);
    expect(await adapter.receive({ waitSeconds: 2 })).toEqual([]);
    expect((await messages(id)).map(({ sealed }) => sealed)).toEqual([null]);
    expect(await adapter.complete(received?.trackingId ?? '', 'applied')).toBe('too_late');
  });

  test('an acknowledgement of an older change is never taken for the newer one, and the older is not delivered again', async () => {
    await suite.lockstep.configure(document({ retryDelaySeconds: 2 }));
    const older = await change();
    const [first] = await adapter.receive();
    await waits(older.id, 'awaiting_acknowledgement');
    const newer = await change(older);
    await until(async () => (await messages(newer.id)).length === 1);
    const [second] = await adapter.receive();
    expect(second?.message?.password).toBe(newer.password);
    expect(await adapter.complete(first?.trackingId ?? '', 'applied')).toBe('too_late');
    expect(outcomeIn(await suite.lockstep.read(newer.id))).not.toMatchObject({ state: 'applied' });
    expect(await adapter.complete(second?.trackingId ?? '', 'applied')).toBe('recorded');
    expect(await ended(newer.id)).toMatchObject({ state: 'applied' });
    expect(await ended(older.id)).toMatchObject({ state: 'superseded' });
  });

  test('a change that is older than maxAgeSeconds is not delivered', async () => {
    await suite.lockstep.configure(document({ maxAgeSeconds: 1 }));
    await adapter.call('status', { status: 'offline' });
    const { id } = await change();
    await waits(id, 'adapter_unreachable');
    await until(async () => {
      const { rows } = await sql<{ old: boolean }>`
        select created_at < now() - interval '1 second' as old from change where id = ${id}`.execute(
        suite.lockstep.database.db,
      );
      return rows[0]?.old === true;
    });
    await adapter.call('initialise');
    expect(await ended(id)).toMatchObject({ state: 'rejected', reason: 'too_old' });
  });

  test('neither the database nor the log of the API contains a password of a message', async () => {
    const { id, password } = await change();
    const [received] = await adapter.receive();
    expect((await messages(id)).map(({ sealed }) => sealed?.length)).toEqual([expect.any(Number)]);
    const scanner = createScanner({ password });
    const { db } = suite.lockstep.database;
    const { rows: tables } = await sql<{ name: string }>`
      select tablename as name from pg_tables where schemaname = 'public'`.execute(db);
    for (const { name } of tables) {
      const { rows } = await sql<{ text: string }>`
        select one::text as text from ${sql.table(name)} one`.execute(db);
      scanner.text(name, rows.map(({ text }) => text).join('\n'));
    }
    scanner.text('log', api.printed());
    expect(scanner.findings).toEqual([]);
    expect(scanner.searched.get('adapter_message')).toBeGreaterThan(100);
    await adapter.complete(received?.trackingId ?? '', 'applied');
  });

  test('another worker continues to wait for the acknowledgement of a delivered message', async () => {
    const { id } = await change();
    const [received] = await adapter.receive();
    await suite.worker.stop();
    await adapter.complete(received?.trackingId ?? '', 'applied');
    suite.lockstep.startWorker();
    expect(await ended(id)).toMatchObject({ state: 'applied' });
    expect((await messages(id)).map(({ id }) => id)).toEqual([received?.trackingId]);
  });

  test('every call is refused while the source or its adapter is disabled, also one that waits', async () => {
    const calls = ['initialise', 'receive', 'status', 'complete', 'send'];
    const bodies: Record<string, object> = {
      status: { status: 'online' },
      complete: { trackingId: 'msg_1', result: 'applied' },
      send: { account: 'USER', password: newPassword() },
      receive: { waitSeconds: 0 },
    };
    const answers = () =>
      Promise.all(
        calls.map(async (call) => (await adapter.call(call, bodies[call])).body.code ?? 'ok'),
      );
    const waiting = adapter.call('receive', { waitSeconds: 2 });
    for (const more of [{ enabled: false }, { adapter: { enabled: false } }]) {
      await suite.lockstep.configure(document({}, more));
      expect(new Set(await answers())).toEqual(new Set(['adapter_disabled']));
    }
    expect((await waiting).body.code).toBe('adapter_disabled');
    const { sources, ...rest } = document();
    const removed = { ...rest, sources: { ...sources, legacy: undefined } };
    const groups = { all: { ...rest.groups.all, sources: ['directory', 'apps', 'crm', 'loop'] } };
    await suite.lockstep.configure(JSON.parse(JSON.stringify({ ...removed, groups })));
    expect(new Set(await answers())).toEqual(new Set(['not_found']));
  });

  test('the key of another source and a revoked key get nothing', async () => {
    const other = await playAdapter(api, 'loop');
    const foreign = await api.send('POST', '/v1/adapters/legacy/receive', { key: other.key });
    expect([foreign.status, foreign.body.code]).toEqual([404, 'not_found']);
    await other.call('initialise');
    const waiting = other.call('receive', { waitSeconds: 60 });
    const { db } = suite.lockstep.database;
    await revokeApiKey(db, `key_${other.key.split('_')[1]}`, 'test');
    const { id, account } = await change(undefined, 'loop');
    expect((await waiting).body.code).toBe('unauthenticated');
    const again = await playAdapter(api, 'loop');
    const [received] = await again.receive();
    expect(received?.message?.account).toBe(account);
    await again.complete(received?.trackingId ?? '', 'applied');
    await suite.lockstep.readEnd(id);
  });

  test('a doctor learns whether the adapter is connected and has a key', async () => {
    const key = await api.newKey(['operate']);
    const wanted = { key, headers: { prefer: 'wait=30' } };
    const check = async () => (await api.send('POST', '/v1/sources/legacy/check', wanted)).text;
    expect(await check()).toContain('The adapter is online.');
    await adapter.call('status', { status: 'offline' });
    expect(await check()).toContain('The adapter is offline.');
    await suite.lockstep.configure(document({}, { adapter: { enabled: false } }));
    expect(await check()).toContain('The adapter is disabled in the configuration');
  });
});
