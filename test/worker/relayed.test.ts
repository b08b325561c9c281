import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readSigner } from '../../intake/key-files';
import { configurationSchema } from '../../model/configuration/document';
import { Secret } from '../../model/passwords/secret';
import { type CaptureHeader, sealCapture } from '../../sealing/captures';
import { type SealingKey, sealingKey } from '../../sealing/jwe';
import { revokeApiKey } from '../../store/api-keys';
import { setStartpoint, startCaptures, stopCaptures } from '../../store/captures/control';
import { ingestBatch } from '../../store/captures/ingest-batch';
import { createRelay, type Relay } from '../../store/captures/relays';
import { applyConfiguration } from '../../store/configuration/versions';
import { publishedKey } from '../../store/epochs';
import { destroyEndedEpochs, ensureEpoch } from '../../store/worker/epochs';
import { openKeyDirectory, SIGNER_PUBLIC_FILE } from '../../store/worker/keys/key-directory';
import type { KeyStore } from '../../store/worker/keys/key-store';
import { deleteExpiredCaptures } from '../../store/worker/sealed-captures';
import { type CaptureDependencies, ingestNextCapture } from '../../worker/captures/ingest-relayed';
import { type TestDatabase, testDatabase } from '../support/database';
import { brokenInvariants } from '../support/invariants';
import { addPerson, testConfiguration } from '../support/played-worker';
import { captureDependencies } from '../support/relayed';
import { describeWith } from '../support/servers';

const PASSWORD = 'correct horse battery staple';
const HOUR_MS = 3_600_000;

const capture = { enabled: true, verifyCurrent: false };
const configuration = configurationSchema.parse({
  ...testConfiguration,
  sources: {
    ...testConfiguration.sources,
    warehouse: { kind: 'ldap', settings: {}, capture },
    crm: { kind: 'ldap', settings: {}, capture: { ...capture, confirm: true } },
    ledger: { kind: 'ldap', settings: {}, capture },
    vault: { kind: 'ldap', settings: {}, capture: { ...capture, forms: ['ssha512'] } },
  },
  policies: { ...testConfiguration.policies, finance: { dictionary: '/nowhere/words.txt' } },
});

describeWith(['postgres'], 'what a relay brought', () => {
  let database: TestDatabase;
  let keys: KeyStore;
  let deps: CaptureDependencies & { close(): Promise<void> };
  let key: SealingKey;
  let relay: Relay & { apiKeyId: string };
  let people = 0;

  beforeEach(async () => {
    database = await testDatabase();
    const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-keys-'));
    keys = await openKeyDirectory(dir);
    await ensureEpoch(database.db, keys, 24);
    await ensureEpoch(database.db, keys, 24, 'capture');
    await applyConfiguration(database.db, configuration, 0, 'test');
    const signer = readSigner(path.join(dir, SIGNER_PUBLIC_FILE));
    deps = captureDependencies(database.db, keys, () => signer);
    const published = signer && (await publishedKey(database.db, signer, 'capture'));
    if (published === null) throw new Error('no key');
    key = await sealingKey(published.id, published.publicKey);
    relay = await register('warehouse');
  });
  afterEach(async () => {
    expect(await brokenInvariants(database.db)).toEqual({});
    await deps.close();
    await database.close();
  });

  async function register(source: string) {
    const publicKey = { kty: 'OKP', crv: 'Ed25519', x: 'unused here' };
    const made = await createRelay(database.db, { source, publicKey }, 'test');
    const apiKeyId = `key_${made.key.split('_')[1]}`;
    return { id: made.id, source, publicKey, apiKeyId };
  }
  async function person(sources = ['directory', 'warehouse']): Promise<string> {
    const name = `person-${++people}`;
    await addPerson(database.db, name, sources);
    return name;
  }
  const rows = async (query: string, values: unknown[] = []) =>
    (await database.pool.query(query, values)).rows;
  const changesOf = (name: string) =>
    rows('select * from change where identity_name = $1 order by seq', [name]);
  const results = async () =>
    (await rows(`select action from audit where action like 'capture.%' order by id`)).map(
      ({ action }) => action.slice('capture.'.length),
    );
  const left = async () => (await rows('select * from sealed_capture')).length;

  const positions = new Map<string, number>();
  /** As the api keeps it. */
  async function bring(
    account: string,
    password: string | Buffer,
    more: Partial<CaptureHeader> & { by?: Relay; current?: string; hashed?: boolean } = {},
  ): Promise<void> {
    const { by = relay, current, hashed = false, ...rest } = more;
    const header = {
      relay: by.id,
      source: by.source,
      capturedAt: new Date(),
      sequence: null,
      ...rest,
    };
    const jwe = await sealCapture(key, header, {
      ...{ account, hashed },
      password: Secret.of(Buffer.from(password)),
      current: current === undefined ? null : Secret.fromText(current),
    });
    const from = (positions.get(by.id) ?? 0) + 1;
    positions.set(by.id, from);
    const how = { sentAt: new Date(), version: 'test', backlog: 0, oldestAt: null, quarantined: 0 };
    const record = { keyId: key.epochId, jwe, ...header };
    const batch = { ...how, request: from, segment: 'one', follows: null, from, records: [record] };
    await ingestBatch(database.db, by, batch, 72 * HOUR_MS);
  }
  async function takeAll(): Promise<void> {
    while (await ingestNextCapture(deps));
  }

  test('becomes a change, once, from when it was captured; nothing of it is left', async () => {
    const alice = await person();
    const capturedAt = new Date(Date.now() - HOUR_MS);
    await bring(alice, PASSWORD, { capturedAt });
    await Promise.all([takeAll(), takeAll(), takeAll()]);
    expect(await changesOf(alice)).toMatchObject([
      { captured_at: capturedAt, requested_by: relay.apiKeyId, state: 'accepted' },
    ]);
    expect(await left()).toBe(0);
  });

  test('in its order, however many workers are at it', async () => {
    const alice = await person();
    const words = Array.from({ length: 12 }, (_, index) => `${PASSWORD} ${index}`);
    const began = Date.now() - 60_000;
    for (const [index, word] of words.entries())
      await bring(alice, word, { capturedAt: new Date(began + index) });
    await Promise.all(Array.from({ length: 4 }, takeAll));
    // Had one come before an older one, that would be stale.
    expect(await changesOf(alice)).toHaveLength(words.length);
    expect(await results()).toEqual([]);
  });

  test('by three relays of one source, late, twice and in any order: the newest is what stays', async () => {
    const controllers = [relay, await register('warehouse'), await register('warehouse')] as const;
    const began = Date.now() - 60_000;
    const words = Array.from({ length: 6 }, (_, index) => `${PASSWORD} ${index}`);
    const at = (index: number) => new Date(began + index * 1000);
    for (let round = 0; round < 5; round++) {
      const alice = await person();
      // Each controller tells some of them, and all of them are told by two.
      const tellings = words.flatMap((word, index) => [
        { by: controllers[index % 3], word, index },
        { by: controllers[(index + 1) % 3], word, index },
      ]);
      for (const { by, word, index } of tellings.sort(() => Math.random() - 0.5))
        await bring(alice, word, { by: by as typeof relay, capturedAt: at(index) });
      await Promise.all(Array.from({ length: 3 }, takeAll));
      const changes = await changesOf(alice);
      const times = changes.map(({ captured_at }) => captured_at.getTime());
      expect(times).toEqual([...new Set(times)].sort((one, other) => one - other));
      expect(times.at(-1)).toBe(at(words.length - 1).getTime());
      expect(await left()).toBe(0);
    }
  });

  test('is there as it was when the worker dies in the middle, and is then taken in once', async () => {
    const alice = await person();
    await bring(alice, PASSWORD);
    const dies = { ...deps, keyToSealTo: () => Promise.reject(new Error('killed')) };
    await ingestNextCapture(dies);
    expect([await left(), await changesOf(alice)]).toEqual([1, []]);
    await rows('update sealed_capture set next_try_at = now()');
    await takeAll();
    expect([await left(), (await changesOf(alice)).length]).toEqual([0, 1]);
  });

  test('a candidate: its source is asked when it has settled, and somebody comes back for that', async () => {
    const alice = await person(['directory', 'crm']);
    await bring(alice, PASSWORD, { by: await register('crm') });
    const waits: number[] = [];
    while (await ingestNextCapture(deps, (seconds) => waits.push(seconds)));
    expect([await left(), await changesOf(alice), await results()]).toEqual([1, [], []]);
    expect(waits).toEqual([expect.any(Number)]);
    expect(waits[0]).toBeGreaterThan(0);
    expect(waits[0]).toBeLessThanOrEqual(2);
  });

  test('that cannot be judged now waits, and with it what comes behind it; another relay does not', async () => {
    const [alice, bob] = [await person(), await person(['ledger', 'vault'])];
    const other = await register('ledger');
    await bring(bob, PASSWORD, { by: other });
    await bring(alice, PASSWORD);
    await takeAll();
    expect((await changesOf(alice)).length).toBe(1);
    expect([await left(), await changesOf(bob)]).toEqual([1, []]);
    expect(await results()).toEqual([]);
  });

  test.each([
    [
      'late: a newer password of the person was accepted since',
      'stale',
      async (name: string) => {
        await bring(name, `${PASSWORD} newer`);
        await bring(name, PASSWORD, { capturedAt: new Date(Date.now() - 60_000) });
      },
    ],
    [
      'twice',
      'duplicate',
      async (name: string) => {
        const capturedAt = new Date();
        await bring(name, PASSWORD, { capturedAt });
        await bring(name, PASSWORD, { capturedAt });
      },
    ],
    ['of nobody', 'unmapped', async () => bring('nobody at all', PASSWORD)],
    [
      'too old',
      'expired',
      async (name: string) =>
        bring(name, PASSWORD, { capturedAt: new Date(Date.now() - 73 * HOUR_MS) }),
    ],
    ['against the policy', 'password_against_policy', async (name: string) => bring(name, 'short')],
    [
      'of bytes that are no text',
      'unsupported_character',
      async (name: string) => bring(name, Buffer.from([0xff, 0xfe, ...Buffer.from(PASSWORD)])),
    ],
    ['with a NUL', 'unsupported_character', async (name: string) => bring(name, `${PASSWORD}\0`)],
    [
      'of a source that takes none',
      'capture_disabled',
      async (name: string) => bring(name, PASSWORD, { by: await register('directory') }),
    ],
  ] as const)('%s: starts nothing, and the audit says why', async (_title, result, act) => {
    await act(await person());
    await takeAll();
    // Of the expired one the janitor may have been first.
    await deleteExpiredCaptures(database.db);
    expect(await results()).toEqual([result]);
    expect(await left()).toBe(0);
    expect(JSON.stringify(await rows('select * from audit'))).not.toContain('nobody at all');
  });

  test('a hash: is carried on as a hash, never as a password that looks like one', async () => {
    const alice = await person(['ledger', 'vault']);
    const hash = `{SSHA512}${Buffer.alloc(72, 7).toString('base64')}`;
    const vault = await register('vault');
    await bring(alice, hash, { by: vault });
    await bring(alice, hash, { by: vault, hashed: true });
    await bring(alice, 'none at all', { by: vault, hashed: true });
    await takeAll();
    expect((await changesOf(alice)).length).toBe(1);
    expect(await results()).toEqual(['form_not_taken', 'encoding_unknown']);
    expect(await rows('select form from change')).toEqual([{ form: 'ssha512' }]);
  });

  describe('while an operator', () => {
    const control = [['warehouse'], 'operator'] as const;
    const ago = (ms: number) => new Date(Date.now() - ms);

    test('has stopped its source: waits, and is taken in when it is started', async () => {
      const [alice, bob] = [await person(), await person(['ledger', 'vault'])];
      await stopCaptures(database.db, ...control);
      await bring(alice, PASSWORD);
      await bring(bob, PASSWORD, { by: await register('directory') });
      await takeAll();
      expect([await changesOf(alice), await left(), await results()]).toEqual([
        ...[[], 1, ['capture_disabled']],
      ]);
      await startCaptures(database.db, ...control);
      await takeAll();
      expect([(await changesOf(alice)).length, await left()]).toEqual([1, 0]);
    });

    test('has set the end as startpoint: what was captured before is left alone, what comes is not', async () => {
      const alice = await person();
      await bring(alice, PASSWORD, { capturedAt: ago(60_000) });
      await setStartpoint(database.db, control[0], { from: 'end' }, 'operator');
      await takeAll();
      expect([await changesOf(alice), await results()]).toEqual([[], ['before_startpoint']]);
      await bring(alice, `${PASSWORD} newer`);
      await takeAll();
      expect((await changesOf(alice)).length).toBe(1);
    });

    test('has gone back: nothing older overwrites a newer password, what was missed is taken in', async () => {
      const [alice, bob] = [await person(), await person()];
      await setStartpoint(database.db, control[0], { from: 'end' }, 'operator');
      await bring(bob, PASSWORD, { capturedAt: ago(HOUR_MS), sequence: '1' });
      await bring(alice, `${PASSWORD} newest`, { sequence: '3' });
      await takeAll();
      await setStartpoint(database.db, control[0], { from: 'begin' }, 'operator');
      await bring(bob, PASSWORD, { capturedAt: ago(HOUR_MS), sequence: '1' });
      await bring(alice, `${PASSWORD} older`, { capturedAt: ago(HOUR_MS), sequence: '2' });
      await takeAll();
      expect([(await changesOf(alice)).length, (await changesOf(bob)).length]).toEqual([1, 1]);
      expect(await results()).toEqual(['before_startpoint', 'stale']);
    });

    test('has set a time: only what was captured from then on counts', async () => {
      const alice = await person();
      await setStartpoint(database.db, control[0], { from: 'time', at: ago(60_000) }, 'operator');
      await bring(alice, PASSWORD, { capturedAt: ago(61_000) });
      await bring(alice, `${PASSWORD} newer`, { capturedAt: ago(59_000) });
      await takeAll();
      expect([(await changesOf(alice)).length, await results()]).toEqual([
        ...[1, ['before_startpoint']],
      ]);
    });
  });

  test('told again under the number of the source, at another time: is the change that it was', async () => {
    const alice = await person();
    await bring(alice, PASSWORD, { sequence: '4711' });
    await bring(alice, `${PASSWORD} newer`, { sequence: '4712' });
    await bring(alice, PASSWORD, { sequence: '4711' });
    await takeAll();
    expect((await changesOf(alice)).length).toBe(2);
    expect(await rows('select source_sequence from relay')).toContainEqual({
      source_sequence: '4711',
    });
  });

  test('by a relay whose key was revoked meanwhile: is not taken in', async () => {
    const alice = await person();
    await bring(alice, PASSWORD);
    await revokeApiKey(database.db, relay.apiKeyId, 'test');
    await takeAll();
    expect([await changesOf(alice), await results()]).toEqual([[], ['no_longer_authorized']]);
  });

  test('of another relay or source than it says: does not open', async () => {
    const alice = await person();
    const other = await register('warehouse');
    await bring(alice, PASSWORD, { relay: other.id });
    await bring(alice, PASSWORD, { source: 'ledger' });
    await takeAll();
    expect([await changesOf(alice), await results()]).toEqual([
      [],
      ['capture_unreadable', 'capture_unreadable'],
    ]);
  });

  test('its key is kept while a relay may be cut off, and as long as something sealed to it is here', async () => {
    const ended = (ago: string) =>
      rows(`update epoch set seal_until = now() - $1::interval where purpose = 'capture'`, [ago]);
    await ended('6 days');
    expect(await destroyEndedEpochs(database.db, keys)).toEqual([]);
    await bring(await person(), PASSWORD);
    await ended('8 days');
    expect(await destroyEndedEpochs(database.db, keys)).toEqual([]);
    await takeAll();
    expect(await destroyEndedEpochs(database.db, keys)).toEqual([key.epochId]);
    expect(await keys.epochKey(key.epochId)).toBeNull();
  });

  test('and was never taken in is destroyed when it is too old, and said aloud (I9)', async () => {
    await bring(await person(), PASSWORD);
    await rows('update sealed_capture set expires_at = now()');
    expect(await deleteExpiredCaptures(database.db)).toBe(1);
    expect([await left(), await results()]).toEqual([0, ['expired']]);
  });
});
