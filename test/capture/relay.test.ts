import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Registration } from '../../capture/setup';
import { openFingerprintKey, readSigner } from '../../intake/key-files';
import { configurationSchema } from '../../model/configuration/document';
import { Secret } from '../../model/passwords/secret';
import { applyConfiguration } from '../../store/configuration/versions';
import { ensureEpoch } from '../../store/worker/epochs';
import { type CaptureDependencies, ingestNextCapture } from '../../worker/captures/ingest-relayed';
import { startTestApi, type TestApi } from '../support/api';
import { createScanner } from '../support/canary';
import { addPerson, testConfiguration } from '../support/played-worker';
import { setUpTestRelay, type TestRelay } from '../support/relay';
import { captureDependencies } from '../support/relayed';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const PASSWORD = 'correct horse battery staple';
const MINUTES = 60_000;

const capture = { enabled: true, verifyCurrent: false };
const configuration = configurationSchema.parse({
  ...testConfiguration,
  sources: { ...testConfiguration.sources, warehouse: { kind: 'ldap', settings: {}, capture } },
});

/** The relay as a process, against the api as a process; the test plays source and worker. */
describeWith(['postgres'], 'a relay', () => {
  let api: TestApi;
  let worker: CaptureDependencies & { close(): Promise<void> };
  const relays: TestRelay[] = [];
  let people = 0;

  beforeAll(async () => {
    api = await startTestApi();
    const { db } = api.database;
    await applyConfiguration(db, configuration, 0, 'test');
    await ensureEpoch(db, api.keys, 24, 'capture');
    const signer = readSigner(path.join(api.dir, 'keys', 'signer.pub.json'));
    const fingerprintKey = openFingerprintKey(path.join(api.dir, 'fingerprint.key'));
    worker = captureDependencies(db, api.keys, () => signer, { fingerprintKey });
  });
  afterEach(async () => {
    for (const relay of relays.splice(0)) {
      await relay.kill();
      rmSync(relay.dir, { recursive: true });
    }
  });
  afterAll(async () => {
    await worker.close();
    await api.stop();
  });

  async function setUp(settings: Record<string, unknown> = {}): Promise<TestRelay> {
    const relay = await setUpTestRelay({
      url: api.url,
      source: 'warehouse',
      settings,
      register: async (publicKey) => {
        const body = { source: 'warehouse', publicKey };
        return (await api.send('POST', '/v1/relays', { body })).body as unknown as Registration;
      },
    });
    relays.push(relay);
    return relay;
  }
  async function person(): Promise<string> {
    const name = `person-${++people}`;
    await addPerson(api.database.db, name);
    return name;
  }
  const rows = async (query: string, values: unknown[] = []) =>
    (await api.database.pool.query(query, values)).rows;
  const told = async ({ id }: TestRelay) => {
    const { body } = await api.send('GET', '/v1/relays');
    const found = (body.relays as Record<string, unknown>[]).find((one) => one.id === id);
    return found ?? {};
  };
  const delivered = (relay: TestRelay, count: number) =>
    until(async () => {
      const { received, backlog } = await told(relay);
      return received === count && backlog === 0;
    });
  const takeAll = async () => {
    while (await ingestNextCapture(worker));
  };
  const changesOf = (name: string) =>
    rows('select captured_at, idempotency_key from change where identity_name = $1 order by seq', [
      name,
    ]);

  const secrets = (count: number) => Array.from({ length: count }, (_, at) => `${PASSWORD} ${at}`);

  test('brings what was handed over, in its order, and each once', async () => {
    const relay = await setUp();
    await relay.start();
    const alice = await person();
    const words = secrets(20);
    await until(async () => (await relay.handOver(alice, `${PASSWORD} first`)) === 'taken');
    for (const word of words) expect(await relay.handOver(alice, word)).toBe('taken');
    await delivered(relay, 21);
    await takeAll();
    expect(await changesOf(alice)).toHaveLength(21);
    expect(relay.printed()).not.toContain(PASSWORD);
  });

  test('that never reached Lockstep has no key: it takes nothing, and says so', async () => {
    await api.stopProcess();
    const relay = await setUpTestRelay({
      url: api.url,
      source: 'warehouse',
      register: async () => ({ id: 'x', key: 'lks_x', signer }),
    });
    relays.push(relay);
    await relay.start();
    expect(await relay.handOver('alice', PASSWORD)).toBe('no_key');
    await api.restart();
  });

  test('seals to no key but one that was signed by whom it pinned', async () => {
    const relay = await setUp({ signer });
    await relay.start();
    await until(() => relay.printed().includes('not signed by the signer'));
    expect(await relay.handOver('alice', PASSWORD)).toBe('no_key');
  });

  test('while the api is away: takes everything, also after a restart, and loses and reorders nothing', async () => {
    const relay = await setUp();
    await relay.start();
    const alice = await person();
    await until(async () => (await relay.handOver(alice, `${PASSWORD} first`)) === 'taken');
    await api.stopProcess();
    const words = secrets(10);
    for (const word of words.slice(0, 5)) expect(await relay.handOver(alice, word)).toBe('taken');
    await relay.stop();
    await relay.start();
    for (const word of words.slice(5)) expect(await relay.handOver(alice, word)).toBe('taken');
    await api.restart();
    await delivered(relay, 11);
    await takeAll();
    expect(await changesOf(alice)).toHaveLength(11);
    expect(await told(relay)).toMatchObject({ lost: 0, quarantined: 0 });
  });

  test(
    'killed at every step: loses nothing, reorders nothing, and nothing is taken in twice',
    async () => {
      const relay = await setUp();
      const alice = await person();
      const began = Date.now() - 10 * MINUTES;
      let next = 1;
      const handOverNext = () =>
        relay.handOver(alice, `${PASSWORD} ${next}`, {
          sequence: String(next),
          capturedAt: new Date(began + next * 100),
        });
      for (let step = 1; step <= 80; step++) {
        await relay.start({ preload: [dieAt], env: { LOCKSTEP_TEST_DIE_AT: String(step) } });
        while (relay.running())
          // Not answered: it may be there or not, so the source tells it again.
          if ((await handOverNext().catch(() => 'gone')) === 'taken') next++;
      }
      await relay.start();
      await until(async () => (await told(relay)).heardAt !== null && (await idle(relay)));
      await takeAll();
      const sequences = (await changesOf(alice)).map(({ idempotency_key }) => idempotency_key);
      const all = Array.from({ length: next }, (_, at) => String(at + 1));
      // The last one was durable, perhaps, when nobody was told.
      expect([all, all.slice(0, -1)]).toContainEqual(sequences);
      expect(next).toBeGreaterThan(30);
      expect(await told(relay)).toMatchObject({ lost: 0 });
    },
    5 * MINUTES,
  );

  test('whose clock is wrong, and is put right: delivers in its order, and that it was wrong is seen', async () => {
    const relay = await setUp();
    const clock = path.join(relay.dir, 'clock');
    const setClock = (aheadMs: number) => writeFileSync(clock, String(aheadMs));
    setClock(0);
    await relay.start({ preload: [steppedClock], env: { LOCKSTEP_TEST_CLOCK: clock } });
    const alice = await person();
    const began = Date.now() - MINUTES;
    const bring = (index: number) =>
      relay.handOver(alice, `${PASSWORD} ${index}`, { capturedAt: new Date(began + index) });
    await until(async () => (await bring(1)) === 'taken');
    await delivered(relay, 1);
    setClock(30 * DAY_MS);
    await bring(2);
    await delivered(relay, 2);
    expect(Math.round(Number((await told(relay)).clockAheadMs) / DAY_MS)).toBe(30);
    setClock(-30 * DAY_MS);
    await bring(3);
    await delivered(relay, 3);
    setClock(0);
    await relay.kill();
    await relay.start();
    await bring(4);
    await delivered(relay, 4);
    await takeAll();
    expect(await changesOf(alice)).toHaveLength(4);
    expect(await told(relay)).toMatchObject({ quarantined: 0, lost: 0 });
  });

  test('whose spool was damaged: the rest is delivered, and what is lost is told', async () => {
    const relay = await setUp();
    await relay.start();
    const alice = await person();
    await until(async () => (await relay.handOver(alice, `${PASSWORD} first`)) === 'taken');
    await delivered(relay, 1);
    await api.stopProcess();
    for (const word of secrets(3)) await relay.handOver(alice, word);
    await relay.kill();
    const segment = readdirSync(relay.spool)
      .filter((name) => name.endsWith('.segment'))
      .at(-1);
    const file = path.join(relay.spool, segment ?? '');
    const content = readFileSync(file);
    content[content.indexOf('LSR1', content.indexOf('eyJ') + 1) + 40] = 0;
    writeFileSync(file, content);
    await api.restart();
    await relay.start();
    await until(async () => (await told(relay)).lost === 1 && (await idle(relay)));
    await takeAll();
    expect(await changesOf(alice)).toHaveLength(3);
    expect(await told(relay)).toMatchObject({ received: 3, lost: 1, quarantined: 1 });
  });

  test('holds no plaintext on its disk, of whatever bytes it is, nor whose it is', async () => {
    const relay = await setUp();
    await relay.start();
    const canary = `Kanari\u00e9 "quoted" 'too' \\ %\n\u{1F426} ${randomBytes(12).toString('hex')}`;
    await until(async () => (await relay.handOver('first', PASSWORD)) === 'taken');
    await api.stopProcess();
    const account = `account-${randomBytes(12).toString('hex')}`;
    const current = Secret.fromText(`${canary} old`);
    expect(await relay.handOver(account, canary, { current })).toBe('taken');
    const scanner = createScanner({ canary, account });
    await scanner.folder('relay', relay.dir);
    expect(scanner.findings).toEqual([]);
    expect([...scanner.searched.values()].reduce((sum, bytes) => sum + bytes)).toBeGreaterThan(500);
    await api.restart();
  });

  test('listens to those who may, and leaves the place of another one alone', async () => {
    const relay = await setUp();
    await relay.start();
    expect(statSync(relay.socket).mode & 0o777).toBe(0o600);
    const second = await setUp({ socket: relay.socket });
    await second.start();
    expect(second.running()).toBe(false);
    expect(second.printed()).toContain('Another relay listens');
    const third = await setUp({ spool: relay.spool });
    await third.start();
    expect(third.running()).toBe(false);
    expect(third.printed()).toContain('Another relay has the spool');
    chmodSync(path.dirname(relay.socket), 0o777);
    await relay.kill();
    await relay.start();
    expect(relay.running()).toBe(false);
    expect(relay.printed()).toContain('Everybody may write');
  });

  test.each([
    ['longer than a message is', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['of a field that it does not know', message('a', 'alice', 'p', 'secret', 'x', 'new')],
    ['of a form that it does not know', message('a', 'alice', 'p', 'secret', 'f', 'blob')],
    ['of a field twice', message('a', 'alice', 'p', 'one', 'p', 'two')],
    ['without a password', message('a', 'alice')],
    ['with an empty one', message('a', 'alice', 'p', '')],
    ['with a time that is none', message('a', 'alice', 'p', 'secret', 't', 'yesterday')],
    ['cut off in a field', Buffer.from([0, 0, 0, 6, 0x61, 0, 0, 0, 9, 0x61])],
  ])('refuses a message %s, and goes on', async (_title, bytes) => {
    const relay = await setUp();
    await relay.start();
    expect(await raw(relay.socket, [bytes])).toBe('-malformed\n');
    await until(async () => (await relay.handOver('alice', PASSWORD)) === 'taken');
  });

  test('takes messages one after the other from one connection, however they are cut', async () => {
    const relay = await setUp();
    await relay.start();
    await until(async () => (await relay.handOver('alice', PASSWORD)) === 'taken');
    const two = Buffer.concat([
      message('a', 'alice', 'p', PASSWORD),
      message('a', 'bob', 'p', 'x'),
    ]);
    const bytes = Array.from(two, (byte) => Buffer.of(byte));
    expect(await raw(relay.socket, bytes, '+\n+\n')).toBe('+\n+\n');
    await delivered(relay, 3);
  });

  test('is handed captures by a script: all of stdin is the password', async () => {
    const relay = await setUp();
    await relay.start();
    const alice = await person();
    await until(async () => (await relay.handOver('first', PASSWORD)) === 'taken');
    const args = ['relay', 'hand-over', '--socket', relay.socket, '--account', alice];
    const { status, stderr } = spawnSync(process.execPath, [main, ...args], { input: PASSWORD });
    expect([status, String(stderr)]).toEqual([0, '']);
    await delivered(relay, 2);
    await takeAll();
    expect(await changesOf(alice)).toHaveLength(1);
    await relay.stop();
    const gone = spawnSync(process.execPath, [main, ...args], { input: PASSWORD });
    expect([gone.status, String(gone.stderr)]).toEqual([1, expect.stringContaining('again')]);
  });

  const idle = async (relay: TestRelay) => {
    const { backlog, received, lost } = await told(relay);
    return backlog === 0 && Number(received) + Number(lost) > 0 && spoolIsEmpty(relay);
  };
});

const root = path.resolve(__dirname, '../..');
const main = path.join(root, 'dist/cli/main.js');
const dieAt = path.join(root, 'test/support/die-at.cjs');
const steppedClock = path.join(root, 'test/support/stepped-clock.cjs');
const DAY_MS = 24 * 60 * MINUTES;

/** Of nobody that Lockstep knows. */
const signer = {
  ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }),
} as Registration['signer'];

const spoolIsEmpty = ({ spool }: TestRelay): boolean =>
  readdirSync(spool)
    .filter((name) => name.endsWith('.segment'))
    .every((name) => !readFileSync(path.join(spool, name)).includes('eyJ'));

/** As docs/captures/protocol.md has it, in the words of another program. */
function message(...fields: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const value = Buffer.from(fields[at + 1] ?? '');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(value.length);
    parts.push(Buffer.from(fields[at] ?? ''), length, value);
  }
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** Sends the pieces one by one. @returns what was answered, up to `wanted` or the end */
const raw = (socket: string, pieces: readonly Buffer[], wanted?: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const connection = net.connect(socket, async () => {
      for (const piece of pieces) await new Promise((sent) => connection.write(piece, sent));
    });
    connection.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (answer === wanted) connection.end();
    });
    connection.once('error', reject);
    connection.once('close', () => resolve(answer));
  });
