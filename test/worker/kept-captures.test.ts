import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { Secret } from '../../model/passwords/secret';
import { exactRules } from '../../model/people/naming';
import { sealCapture } from '../../sealing/captures';
import { type SealingKey, sealingKey } from '../../sealing/jwe';
import { ingestBatch } from '../../store/captures/ingest-batch';
import { createRelay, type Relay } from '../../store/captures/relays';
import { applyConfiguration } from '../../store/configuration/versions';
import { publishedKey } from '../../store/epochs';
import { saveIdentity } from '../../store/people/identities';
import { destroyEndedEpochs, ensureEpoch } from '../../store/worker/epochs';
import { deleteExpiredKept, requeueLinked } from '../../store/worker/kept-captures';
import type { KeyStore } from '../../store/worker/keys/key-store';
import { type CaptureDependencies, ingestNextCapture } from '../../worker/captures/ingest-relayed';
import { type TestDatabase, testDatabase } from '../support/database';
import { brokenInvariants } from '../support/invariants';
import { newKeyDirectory } from '../support/keys';
import { testConfiguration } from '../support/played-worker';
import { captureDependencies } from '../support/relayed';
import { describeWith } from '../support/servers';

const HOUR_MS = 3_600_000;
const PASSWORD = 'correct horse battery staple';

/** Passwords that are captured before the account is linked to a person. */
describeWith(['postgres'], 'a capture of an account that is not linked yet', () => {
  let database: TestDatabase;
  let keys: KeyStore;
  let deps: CaptureDependencies & { close(): Promise<void> };
  let key: SealingKey;
  let request = 0;

  beforeAll(async () => {
    database = await testDatabase();
    const directory = await newKeyDirectory();
    keys = directory.keys;
    await ensureEpoch(database.db, keys, 24);
    await ensureEpoch(database.db, keys, 24, 'capture');
    const capture = { enabled: true, verifyCurrent: false, keepUnlinkedHours: 2 };
    const document = configurationSchema.parse({
      ...testConfiguration,
      sources: {
        ...testConfiguration.sources,
        warehouse: { kind: 'ldap', settings: {}, capture },
        crm: { kind: 'ldap', settings: {}, capture: { ...capture, keepUnlinkedHours: 0 } },
      },
    });
    await applyConfiguration(database.db, document, 0, 'test', accountRulesOf);
    deps = captureDependencies(database.db, keys, () => directory.signer);
    const published = await publishedKey(database.db, directory.signer, 'capture');
    if (published === null) throw new Error('no key');
    key = await sealingKey(published.id, published.publicKey);
  });
  afterEach(async () => {
    await database.pool.query('delete from kept_capture');
    expect(await brokenInvariants(database.db)).toEqual({});
  });
  afterAll(async () => {
    await deps.close();
    await database.close();
  });

  async function register(source: string): Promise<Relay> {
    const publicKey = { kty: 'OKP', crv: 'Ed25519', x: 'unused here' };
    const made = await createRelay(database.db, { source, publicKey }, 'test');
    if (made === null) throw new Error('not registered');
    return { id: made.id, source, publicKey };
  }
  /** A relay delivers the password of an account, and a worker ingests it. */
  async function captured(relay: Relay, account: string, password: string, agoMs = 1_000) {
    const capturedAt = new Date(Date.now() - agoMs);
    const header = { relay: relay.id, source: relay.source, capturedAt, sequence: null };
    const jwe = await sealCapture(key, header, {
      ...{ account, hashed: false, current: null },
      password: Secret.fromText(password),
    });
    request += 1;
    await ingestBatch(
      database.db,
      relay,
      {
        ...{ request, sentAt: new Date(), version: '1', backlog: 0, oldestAt: null },
        ...{ quarantined: 0, segment: `segment-${request}`, follows: null, from: 1 },
        records: [{ keyId: key.epochId, jwe, capturedAt, sequence: null }],
      },
      72 * HOUR_MS,
    );
    await ingestAll();
  }
  async function ingestAll(): Promise<void> {
    while (await ingestNextCapture(deps));
  }
  const link = (person: string, source: string, name: string) =>
    saveIdentity(
      database.db,
      { name: person, attributes: {} },
      [{ source, name, nativeId: null, primary: true }],
      'operator',
      'test',
      () => exactRules,
    );
  const rows = async (query: string, values: unknown[] = []) =>
    (await database.pool.query(query, values)).rows;
  const kept = () => rows('select account_key from kept_capture order by account_key');
  const audited = async (relay: Relay) =>
    (
      await rows(
        "select action from audit where actor = $1 and action like 'capture.%' order by id",
        [relay.id],
      )
    ).map(({ action }) => action);
  const changesOf = (person: string) =>
    rows('select captured_at from change where identity_name = $1', [person]);

  test('a kept capture becomes one change when the account is linked, the newest one', async () => {
    const relay = await register('warehouse');
    const began = Date.now();
    await captured(relay, 'joiner', `${PASSWORD} new`, 1_000);
    await captured(relay, 'joiner', `${PASSWORD} old`, 3_600_000);
    expect(await kept()).toHaveLength(1);
    expect(await requeueLinked(database.db)).toBe(0);
    await link('joiner', 'warehouse', 'joiner');
    expect(await requeueLinked(database.db)).toBe(1);
    await ingestAll();
    const [change, another] = await changesOf('joiner');
    expect(another).toBeUndefined();
    expect(change.captured_at.getTime()).toBeGreaterThanOrEqual(began - 1_000);
    expect(await kept()).toEqual([]);
    expect(await audited(relay)).toEqual(['capture.kept', 'capture.unmapped']);
  });

  test('a kept capture is deleted when it expires, and becomes no change after that', async () => {
    const relay = await register('warehouse');
    await captured(relay, 'late', PASSWORD);
    await rows('update kept_capture set expires_at = now()');
    await link('late', 'warehouse', 'late');
    expect(await requeueLinked(database.db)).toBe(0);
    expect(await deleteExpiredKept(database.db)).toEqual(['warehouse']);
    expect([await kept(), await changesOf('late')]).toEqual([[], []]);
    expect(await audited(relay)).toEqual(['capture.kept', 'capture.expired']);
  });

  test('the key of a kept capture is not destroyed before the capture is', async () => {
    const relay = await register('warehouse');
    await captured(relay, 'waiting', PASSWORD);
    await rows("update epoch set seal_until = now() - interval '1 day' where purpose = 'capture'");
    expect(await destroyEndedEpochs(database.db, keys, 0)).toEqual([]);
    await rows("update epoch set seal_until = now() + interval '1 day' where purpose = 'capture'");
  });

  test('a source that keeps no captures drops them, as it does for a linked account without a group', async () => {
    const relay = await register('crm');
    await captured(relay, 'stranger', PASSWORD);
    expect([await kept(), await audited(relay)]).toEqual([[], ['capture.unmapped']]);
  });
});
