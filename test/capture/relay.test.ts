import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Registration } from '../../capture/setup';
import { accountRulesOf } from '../../connectors/registry';
import { openFingerprintKey, readSigner } from '../../intake/key-files';
import { configurationSchema } from '../../model/configuration/document';
import { Secret } from '../../model/passwords/secret';
import { applyConfiguration } from '../../store/configuration/versions';
import { ensureEpoch } from '../../store/worker/epochs';
import { type CaptureDependencies, ingestNextCapture } from '../../worker/captures/ingest-relayed';
import { startTestApi, type TestApi } from '../support/api';
import { createScanner } from '../support/canary';
import { runsInFull } from '../support/long';
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

/** Runs the relay and the api as processes; the test acts as the source and as the worker. */
describeWith(['postgres'], 'a relay', () => {
  let api: TestApi;
  let worker: CaptureDependencies & { close(): Promise<void> };
  const relays: TestRelay[] = [];
  let people = 0;

  beforeAll(async () => {
    api = await startTestApi();
    const { db } = api.database;
    await applyConfiguration(db, configuration, 0, 'test', accountRulesOf);
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
  const reported = async ({ id }: TestRelay) => {
    const { body } = await api.send('GET', '/v1/relays');
    const found = (body.relays as Record<string, unknown>[]).find((relay) => relay.id === id);
    return found ?? {};
  };
  const delivered = (relay: TestRelay, count: number) =>
    until(async () => {
      const { received, backlog } = await reported(relay);
      return received === count && backlog === 0;
    });
  const ingestAll = async () => {
    while (await ingestNextCapture(worker));
  };
  const changesOf = (name: string) =>
    rows('select captured_at, idempotency_key from change where identity_name = $1 order by seq', [
      name,
    ]);

  const secrets = (count: number) => Array.from({ length: count }, (_, at) => `${PASSWORD} ${at}`);

  test('a relay delivers every capture once and in order', async () => {
    const relay = await setUp();
    await relay.start();
    const alice = await person();
    const words = secrets(20);
    await until(async () => (await relay.handOver(alice, `${PASSWORD} first`)) === 'stored');
    for (const word of words) expect(await relay.handOver(alice, word)).toBe('stored');
    await delivered(relay, 21);
    await ingestAll();
    expect(await changesOf(alice)).toHaveLength(21);
    expect(relay.printed()).not.toContain(PASSWORD);
  });

  test('a relay that has never reached Lockstep has no key and refuses captures', async () => {
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

  test('a relay ignores a sealing key that its pinned signer did not sign', async () => {
    const relay = await setUp({ signer });
    await relay.start();
    await until(() => relay.printed().includes('the pinned signer did not sign it'));
    expect(await relay.handOver('alice', PASSWORD)).toBe('no_key');
  });

  test('a relay accepts captures while the api is down, even after a restart, and neither loses nor reorders any', async () => {
    const relay = await setUp();
    await relay.start();
    const alice = await person();
    await until(async () => (await relay.handOver(alice, `${PASSWORD} first`)) === 'stored');
    await api.stopProcess();
    const words = secrets(10);
    for (const word of words.slice(0, 5)) expect(await relay.handOver(alice, word)).toBe('stored');
    await relay.stop();
    await relay.start();
    for (const word of words.slice(5)) expect(await relay.handOver(alice, word)).toBe('stored');
    await api.restart();
    await delivered(relay, 11);
    await ingestAll();
    expect(await changesOf(alice)).toHaveLength(11);
    expect(await reported(relay)).toMatchObject({ lost: 0, quarantined: 0 });
  });

  test(
    'a relay that is killed at every step neither loses, reorders nor duplicates a capture',
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
      for (let step = 1; step <= 80; step += runsInFull ? 1 : 3) {
        await relay.start({ preload: [dieAt], env: { LOCKSTEP_TEST_DIE_AT: String(step) } });
        while (relay.running())
          // Without an answer the capture may or may not be stored, so the source sends it again.
          if ((await handOverNext().catch(() => 'gone')) === 'stored') next++;
      }
      await relay.start();
      await until(async () => (await reported(relay)).heardAt !== null && (await idle(relay)));
      await ingestAll();
      const sequences = (await changesOf(alice)).map(({ idempotency_key }) => idempotency_key);
      const all = Array.from({ length: next }, (_, at) => String(at + 1));
      // The last capture may be durable although its source received no answer.
      expect([all, all.slice(0, -1)]).toContainEqual(sequences);
      expect(next).toBeGreaterThan(runsInFull ? 30 : 10);
      expect(await reported(relay)).toMatchObject({ lost: 0 });
    },
    5 * MINUTES,
  );

  test('a relay with a wrong clock delivers in order, and the api reports the deviation', async () => {
    const relay = await setUp();
    const clock = path.join(relay.dir, 'clock');
    const setClock = (aheadMs: number) => writeFileSync(clock, String(aheadMs));
    setClock(0);
    await relay.start({ preload: [steppedClock], env: { LOCKSTEP_TEST_CLOCK: clock } });
    const alice = await person();
    const began = Date.now() - MINUTES;
    const handOver = (index: number) =>
      relay.handOver(alice, `${PASSWORD} ${index}`, { capturedAt: new Date(began + index) });
    await until(async () => (await handOver(1)) === 'stored');
    await delivered(relay, 1);
    setClock(30 * DAY_MS);
    await handOver(2);
    await delivered(relay, 2);
    expect(Math.round(Number((await reported(relay)).clockAheadMs) / DAY_MS)).toBe(30);
    setClock(-30 * DAY_MS);
    await handOver(3);
    await delivered(relay, 3);
    setClock(0);
    await relay.kill();
    await relay.start();
    await handOver(4);
    await delivered(relay, 4);
    await ingestAll();
    expect(await changesOf(alice)).toHaveLength(4);
    expect(await reported(relay)).toMatchObject({ quarantined: 0, lost: 0 });
  });

  test('a relay with a damaged spool delivers the rest and reports the loss', async () => {
    const relay = await setUp();
    await relay.start();
    const alice = await person();
    await until(async () => (await relay.handOver(alice, `${PASSWORD} first`)) === 'stored');
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
    await until(async () => (await reported(relay)).lost === 1 && (await idle(relay)));
    await ingestAll();
    expect(await changesOf(alice)).toHaveLength(3);
    expect(await reported(relay)).toMatchObject({ received: 3, lost: 1, quarantined: 1 });
  });

  test('a relay stores neither passwords nor account names in plain text', async () => {
    const relay = await setUp();
    await relay.start();
    const canary = `Kanari\u00e9 "quoted" 'too' \\ %\n\u{1F426} ${randomBytes(12).toString('hex')}`;
    await until(async () => (await relay.handOver('first', PASSWORD)) === 'stored');
    await api.stopProcess();
    const account = `account-${randomBytes(12).toString('hex')}`;
    const current = Secret.fromText(`${canary} old`);
    expect(await relay.handOver(account, canary, { current })).toBe('stored');
    const scanner = createScanner({ canary, account });
    await scanner.folder('relay', relay.dir);
    expect(scanner.findings).toEqual([]);
    expect([...scanner.searched.values()].reduce((sum, bytes) => sum + bytes)).toBeGreaterThan(500);
    await api.restart();
  });

  test('a relay refuses a socket or a spool of another relay, and a socket folder that every user may write to', async () => {
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
    expect(third.printed()).toContain('Another relay uses the spool');
    chmodSync(path.dirname(relay.socket), 0o777);
    await relay.kill();
    await relay.start();
    expect(relay.running()).toBe(false);
    expect(relay.printed()).toContain('Every user may write');
  });

  test.each([
    ['that is too long', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['with an unknown field', message('a', 'alice', 'p', 'secret', 'x', 'new')],
    ['with an unknown form', message('a', 'alice', 'p', 'secret', 'f', 'blob')],
    ['with a field twice', message('a', 'alice', 'p', 'one', 'p', 'two')],
    ['without a password', message('a', 'alice')],
    ['with an empty password', message('a', 'alice', 'p', '')],
    ['with an invalid time', message('a', 'alice', 'p', 'secret', 't', 'yesterday')],
    ['that is cut off in a field', Buffer.from([0, 0, 0, 6, 0x61, 0, 0, 0, 9, 0x61])],
  ])('a relay refuses a message %s, and still accepts the next', async (_title, bytes) => {
    const relay = await setUp();
    await relay.start();
    expect(await raw(relay.socket, [bytes])).toBe('-malformed\n');
    await until(async () => (await relay.handOver('alice', PASSWORD)) === 'stored');
  });

  test('a relay accepts several messages over one connection, however they are split', async () => {
    const relay = await setUp();
    await relay.start();
    await until(async () => (await relay.handOver('alice', PASSWORD)) === 'stored');
    const two = Buffer.concat([
      message('a', 'alice', 'p', PASSWORD),
      message('a', 'bob', 'p', 'x'),
    ]);
    const bytes = Array.from(two, (byte) => Buffer.of(byte));
    expect(await raw(relay.socket, bytes, '+\n+\n')).toBe('+\n+\n');
    await delivered(relay, 3);
  });

  test('the command hand-over passes all of stdin to the relay as the password', async () => {
    const relay = await setUp();
    await relay.start();
    const alice = await person();
    await until(async () => (await relay.handOver('first', PASSWORD)) === 'stored');
    const args = ['relay', 'hand-over', '--socket', relay.socket, '--account', alice];
    const { status, stderr } = spawnSync(process.execPath, [main, ...args], { input: PASSWORD });
    expect([status, String(stderr)]).toEqual([0, '']);
    await delivered(relay, 2);
    await ingestAll();
    expect(await changesOf(alice)).toHaveLength(1);
    await relay.stop();
    const gone = spawnSync(process.execPath, [main, ...args], { input: PASSWORD });
    expect([gone.status, String(gone.stderr)]).toEqual([1, expect.stringContaining('again')]);
  });

  const idle = async (relay: TestRelay) => {
    const { backlog, received, lost } = await reported(relay);
    return backlog === 0 && Number(received) + Number(lost) > 0 && spoolIsEmpty(relay);
  };
});

const root = path.resolve(__dirname, '../..');
const main = path.join(root, 'dist/cli/main.js');
const dieAt = path.join(root, 'test/support/die-at.cjs');
const steppedClock = path.join(root, 'test/support/stepped-clock.cjs');
const DAY_MS = 24 * 60 * MINUTES;

/** A signer that Lockstep does not know. */
const signer = {
  ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }),
} as Registration['signer'];

const spoolIsEmpty = ({ spool }: TestRelay): boolean =>
  readdirSync(spool)
    .filter((name) => name.endsWith('.segment'))
    .every((name) => !readFileSync(path.join(spool, name)).includes('eyJ'));

/** Encodes a message of docs/captures/protocol.md independently of the product code. */
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

/** Sends the pieces one by one. @returns the answer, up to `wanted` or to the end of the connection */
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
