import { register as metrics } from 'prom-client';
import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { Secret } from '../../model/passwords/secret';
import { type CaptureHeader, sealCapture } from '../../sealing/captures';
import { type SealingKey, sealingKey } from '../../sealing/jwe';
import { revokeApiKey } from '../../store/api-keys';
import { setStartpoint, startCaptures, stopCaptures } from '../../store/captures/control';
import { ingestBatch } from '../../store/captures/ingest-batch';
import { createRelay, type Relay } from '../../store/captures/relays';
import { applyConfiguration, currentConfiguration } from '../../store/configuration/versions';
import { publishedKey } from '../../store/epochs';
import { saveIdentity } from '../../store/people/identities';
import { destroyEndedEpochs, ensureEpoch } from '../../store/worker/epochs';
import type { KeyStore } from '../../store/worker/keys/key-store';
import { deleteExpiredCaptures } from '../../store/worker/sealed-captures';
import { type CaptureDependencies, ingestNextCapture } from '../../worker/captures/ingest-relayed';
import { type TestDatabase, testDatabase } from '../support/database';
import { brokenInvariants } from '../support/invariants';
import { newKeyDirectory } from '../support/keys';
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

describeWith(['postgres'], 'relayed captures', () => {
  let database: TestDatabase;
  let keys: KeyStore;
  let deps: CaptureDependencies & { close(): Promise<void> };
  let key: SealingKey;
  let relay: Relay & { apiKeyId: string };
  let people = 0;

  beforeEach(async () => {
    database = await testDatabase();
    const directory = await newKeyDirectory();
    const { signer } = directory;
    keys = directory.keys;
    await ensureEpoch(database.db, keys, 24);
    await ensureEpoch(database.db, keys, 24, 'capture');
    await applyConfiguration(database.db, configuration, 0, 'test', accountRulesOf);
    deps = captureDependencies(database.db, keys, () => signer);
    const published = await publishedKey(database.db, signer, 'capture');
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
    if (made === null) throw new Error('not registered');
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
  /** Submits a capture as a relay does, and stores it as the api does. */
  async function submit(
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
  async function ingestAll(): Promise<void> {
    while (await ingestNextCapture(deps));
  }

  test('a relayed capture becomes one change as of its capture time, and its sealed row is deleted', async () => {
    const alice = await person();
    const capturedAt = new Date(Date.now() - HOUR_MS);
    await submit(alice, PASSWORD, { capturedAt });
    await Promise.all([ingestAll(), ingestAll(), ingestAll()]);
    expect(await changesOf(alice)).toMatchObject([
      { captured_at: capturedAt, requested_by: relay.apiKeyId, state: 'accepted' },
    ]);
    expect(await left()).toBe(0);
  });

  test('a relayed capture that names the account in another spelling starts a change', async () => {
    const { version } = await currentConfiguration(database.db);
    const directory = {
      kind: 'ldap',
      settings: {
        url: 'ldaps://127.0.0.1:1',
        bindDn: 'cn=lockstep,dc=test',
        bindPassword: '${env:TEST_LDAP}',
        base: 'dc=test',
      },
      capture,
    };
    const spelled = configurationSchema.parse({
      ...configuration,
      sources: { ...configuration.sources, warehouse: directory },
    });
    await applyConfiguration(database.db, spelled, version, 'test', accountRulesOf);
    const links = ['directory', 'warehouse'].map((source) => ({
      ...{ source, name: 'uid=alice,dc=test', nativeId: null, primary: true },
    }));
    const alice = { name: 'alice', attributes: {} };
    await saveIdentity(database.db, alice, links, 'operator', 'test', (source) =>
      accountRulesOf(spelled.sources[source]),
    );
    await submit('UID=Alice, DC=Test', PASSWORD);
    await ingestAll();
    expect(await results()).toEqual([]);
    expect(await changesOf('alice')).toHaveLength(1);
  });

  test('the captures of one relay are ingested in their order by any number of workers', async () => {
    const alice = await person();
    const words = Array.from({ length: 12 }, (_, index) => `${PASSWORD} ${index}`);
    const began = Date.now() - 60_000;
    for (const [index, word] of words.entries())
      await submit(alice, word, { capturedAt: new Date(began + index) });
    await Promise.all(Array.from({ length: 4 }, ingestAll));
    // A capture that overtook an older one would make that one stale.
    expect(await changesOf(alice)).toHaveLength(words.length);
    expect(await results()).toEqual([]);
  });

  test('the newest password stays when three relays report captures late, twice and in any order', async () => {
    const controllers = [relay, await register('warehouse'), await register('warehouse')] as const;
    const began = Date.now() - 60_000;
    const words = Array.from({ length: 6 }, (_, index) => `${PASSWORD} ${index}`);
    const at = (index: number) => new Date(began + index * 1000);
    for (let round = 0; round < 5; round++) {
      const alice = await person();
      // Each controller reports some of the captures, and each capture is reported by two controllers.
      const reports = words.flatMap((word, index) => [
        { by: controllers[index % 3], word, index },
        { by: controllers[(index + 1) % 3], word, index },
      ]);
      for (const { by, word, index } of reports.sort(() => Math.random() - 0.5))
        await submit(alice, word, { by: by as typeof relay, capturedAt: at(index) });
      await Promise.all(Array.from({ length: 3 }, ingestAll));
      const changes = await changesOf(alice);
      const times = changes.map(({ captured_at }) => captured_at.getTime());
      expect(times).toEqual([...new Set(times)].sort((earlier, later) => earlier - later));
      expect(times.at(-1)).toBe(at(words.length - 1).getTime());
      expect(await left()).toBe(0);
    }
  });

  test('a capture survives a worker that dies in the middle and is then ingested once', async () => {
    const alice = await person();
    await submit(alice, PASSWORD);
    const dies = { ...deps, keyToSealTo: () => Promise.reject(new Error('killed')) };
    await ingestNextCapture(dies);
    expect([await left(), await changesOf(alice)]).toEqual([1, []]);
    await rows('update sealed_capture set next_try_at = now()');
    await ingestAll();
    expect([await left(), (await changesOf(alice)).length]).toEqual([0, 1]);
  });

  test('a candidate is not decided before its source had time to store it, and the worker returns to it then', async () => {
    const alice = await person(['directory', 'crm']);
    await submit(alice, PASSWORD, { by: await register('crm') });
    const waits: number[] = [];
    while (await ingestNextCapture(deps, (seconds) => waits.push(seconds)));
    expect([await left(), await changesOf(alice), await results()]).toEqual([1, [], []]);
    expect(waits).toEqual([expect.any(Number)]);
    expect(waits[0]).toBeGreaterThan(0);
    expect(waits[0]).toBeLessThanOrEqual(2);
  });

  test('a capture that cannot be decided yet holds up its own relay and no other', async () => {
    const [alice, bob] = [await person(), await person(['ledger', 'vault'])];
    const other = await register('ledger');
    await submit(bob, PASSWORD, { by: other });
    await submit(alice, PASSWORD);
    await ingestAll();
    expect((await changesOf(alice)).length).toBe(1);
    expect([await left(), await changesOf(bob)]).toEqual([1, []]);
    expect(await results()).toEqual([]);
  });

  test.each([
    [
      'that is older than an accepted change',
      'stale',
      async (name: string) => {
        await submit(name, `${PASSWORD} newer`);
        await submit(name, PASSWORD, { capturedAt: new Date(Date.now() - 60_000) });
      },
    ],
    [
      'that repeats an earlier one',
      'duplicate',
      async (name: string) => {
        const capturedAt = new Date();
        await submit(name, PASSWORD, { capturedAt });
        await submit(name, PASSWORD, { capturedAt });
      },
    ],
    [
      'of an account that is not linked',
      'unmapped',
      async () => submit('unlinked account', PASSWORD),
    ],
    [
      'that is too old',
      'expired',
      async (name: string) =>
        submit(name, PASSWORD, { capturedAt: new Date(Date.now() - 73 * HOUR_MS) }),
    ],
    [
      'that violates the policy',
      'password_against_policy',
      async (name: string) => submit(name, 'short'),
    ],
    [
      'of a password that is not UTF-8',
      'unsupported_character',
      async (name: string) => submit(name, Buffer.from([0xff, 0xfe, ...Buffer.from(PASSWORD)])),
    ],
    [
      'of a password with a NUL',
      'unsupported_character',
      async (name: string) => submit(name, `${PASSWORD}\0`),
    ],
    [
      'of a source that does not accept captures',
      'capture_disabled',
      async (name: string) => submit(name, PASSWORD, { by: await register('directory') }),
    ],
  ] as const)(
    'a capture %s starts no change, and the audit gives the reason',
    async (_title, result, act) => {
      await act(await person());
      await ingestAll();
      // An expired capture is deleted by the janitor or by the worker, whichever is first.
      await deleteExpiredCaptures(database.db);
      expect(await results()).toEqual([result]);
      expect(await left()).toBe(0);
      expect(JSON.stringify(await rows('select * from audit'))).not.toContain('unlinked account');
    },
  );

  test('a source of hashes may report only valid hashes that are marked as such', async () => {
    const alice = await person(['ledger', 'vault']);
    const hash = `{SSHA512}${Buffer.alloc(72, 7).toString('base64')}`;
    const vault = await register('vault');
    await submit(alice, hash, { by: vault });
    await submit(alice, hash, { by: vault, hashed: true });
    await submit(alice, 'not a hash', { by: vault, hashed: true });
    await ingestAll();
    expect((await changesOf(alice)).length).toBe(1);
    expect(await results()).toEqual(['form_not_taken', 'encoding_unknown']);
    expect(await rows('select form from change')).toEqual([{ form: 'ssha512' }]);
  });

  describe('controls of an operator', () => {
    const control = [['warehouse'], 'operator'] as const;
    const ago = (ms: number) => new Date(Date.now() - ms);

    test('captures of a stopped source wait until they are started again', async () => {
      const [alice, bob] = [await person(), await person(['ledger', 'vault'])];
      await stopCaptures(database.db, ...control);
      await submit(alice, PASSWORD);
      await submit(bob, PASSWORD, { by: await register('directory') });
      await ingestAll();
      expect([await changesOf(alice), await left(), await results()]).toEqual([
        ...[[], 1, ['capture_disabled']],
      ]);
      await startCaptures(database.db, ...control);
      await ingestAll();
      expect([(await changesOf(alice)).length, await left()]).toEqual([1, 0]);
    });

    test('only captures from after the startpoint are accepted when it is set to the end', async () => {
      const alice = await person();
      await submit(alice, PASSWORD, { capturedAt: ago(60_000) });
      await setStartpoint(database.db, control[0], { from: 'end' }, 'operator');
      await ingestAll();
      expect([await changesOf(alice), await results()]).toEqual([[], ['before_startpoint']]);
      await submit(alice, `${PASSWORD} newer`);
      await ingestAll();
      expect((await changesOf(alice)).length).toBe(1);
    });

    test('a rewind ingests missed captures and never overwrites a newer password', async () => {
      const [alice, bob] = [await person(), await person()];
      await setStartpoint(database.db, control[0], { from: 'end' }, 'operator');
      await submit(bob, PASSWORD, { capturedAt: ago(HOUR_MS), sequence: '1' });
      await submit(alice, `${PASSWORD} newest`, { sequence: '3' });
      await ingestAll();
      await setStartpoint(database.db, control[0], { from: 'begin' }, 'operator');
      await submit(bob, PASSWORD, { capturedAt: ago(HOUR_MS), sequence: '1' });
      await submit(alice, `${PASSWORD} older`, { capturedAt: ago(HOUR_MS), sequence: '2' });
      await ingestAll();
      expect([(await changesOf(alice)).length, (await changesOf(bob)).length]).toEqual([1, 1]);
      expect(await results()).toEqual(['before_startpoint', 'stale']);
    });

    test('only captures from the time of the startpoint on are accepted', async () => {
      const alice = await person();
      await setStartpoint(database.db, control[0], { from: 'time', at: ago(60_000) }, 'operator');
      await submit(alice, PASSWORD, { capturedAt: ago(61_000) });
      await submit(alice, `${PASSWORD} newer`, { capturedAt: ago(59_000) });
      await ingestAll();
      expect([(await changesOf(alice)).length, await results()]).toEqual([
        ...[1, ['before_startpoint']],
      ]);
    });
  });

  test('a capture that is repeated under its source sequence is the same change, even at another time', async () => {
    const alice = await person();
    await submit(alice, PASSWORD, { sequence: '4711' });
    await submit(alice, `${PASSWORD} newer`, { sequence: '4712' });
    await submit(alice, PASSWORD, { sequence: '4711' });
    await ingestAll();
    expect((await changesOf(alice)).length).toBe(2);
    expect(await rows('select source_sequence from relay')).toContainEqual({
      source_sequence: '4711',
    });
  });

  test('a capture of a relay whose key was revoked is not accepted', async () => {
    const alice = await person();
    await submit(alice, PASSWORD);
    await revokeApiKey(database.db, relay.apiKeyId, 'test');
    await ingestAll();
    expect([await changesOf(alice), await results()]).toEqual([[], ['no_longer_authorized']]);
  });

  test('a capture that was sealed for another relay or source cannot be opened', async () => {
    const alice = await person();
    const other = await register('warehouse');
    await submit(alice, PASSWORD, { relay: other.id });
    await submit(alice, PASSWORD, { source: 'ledger' });
    await ingestAll();
    expect([await changesOf(alice), await results()]).toEqual([
      [],
      ['capture_unreadable', 'capture_unreadable'],
    ]);
  });

  test('the key that relays seal to is kept while a relay may be disconnected or a capture is sealed to it', async () => {
    const ended = (ago: string) =>
      rows(`update epoch set seal_until = now() - $1::interval where purpose = 'capture'`, [ago]);
    await ended('6 days');
    expect(await destroyEndedEpochs(database.db, keys)).toEqual([]);
    await submit(await person(), PASSWORD);
    await ended('8 days');
    expect(await destroyEndedEpochs(database.db, keys)).toEqual([]);
    await ingestAll();
    expect(await destroyEndedEpochs(database.db, keys)).toEqual([key.epochId]);
    expect(await keys.epochKey(key.epochId)).toBeNull();
  });

  test('a capture that expires before it is ingested is deleted and audited (I9)', async () => {
    await submit(await person(), PASSWORD);
    await rows('update sealed_capture set expires_at = now()');
    expect(await deleteExpiredCaptures(database.db)).toHaveLength(1);
    expect([await left(), await results()]).toEqual([0, ['expired']]);
  });

  test('each result of a capture of a relay is counted', async () => {
    const counted = async () =>
      Object.fromEntries(
        (await captureCounter()).map(({ labels, value }) => [labels.result, value] as const),
      );
    const captureCounter = async () =>
      (await metrics.getSingleMetric('lockstep_captures_total')?.get())?.values.filter(
        ({ labels }) => labels.via === 'relay',
      ) ?? [];
    metrics.getSingleMetric('lockstep_captures_total')?.reset();
    const alice = await person();
    const capturedAt = new Date();
    await submit(alice, PASSWORD, { sequence: '1', capturedAt });
    await submit(alice, PASSWORD, { sequence: '1', capturedAt });
    await submit(alice, PASSWORD, { sequence: '2' });
    await submit(await person(), PASSWORD, { source: 'ledger' });
    await ingestAll();
    expect(await counted()).toEqual({
      ...{ accepted: 1, repeated: 1, duplicate: 1, capture_unreadable: 1 },
    });
  });
});
