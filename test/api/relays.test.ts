import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { Secret } from '../../model/passwords/secret';
import { type SignedBatch, signBatch } from '../../sealing/batch';
import { type CaptureHeader, sealCapture } from '../../sealing/captures';
import { type SealingKey, sealingKey } from '../../sealing/jwe';
import { isPublishedBy, type JsonWebKey } from '../../sealing/published-key';
import { signerKey } from '../../store/epochs';
import { ensureEpoch } from '../../store/worker/epochs';
import { startTestApi, type TestApi } from '../support/api';
import { applyTestConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';

const PASSWORD = 'correct horse battery staple';

interface PlayedRelay {
  readonly id: string;
  readonly apiKey: string;
  readonly signingKey: KeyObject;
  readonly signer: KeyObject;
  /** The number of the last request. */
  request: number;
}

/** How the API handles what relays submit. Nothing is unsealed here. */
describeWith(['postgres'], 'relays', () => {
  let api: TestApi;
  let key: SealingKey;
  let relay: PlayedRelay;

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await ensureEpoch(api.database.db, api.keys, 24, 'capture');
    const first = await register();
    const { body } = await submit(first, {});
    const published = body.key as { id: string; publicKey: JsonWebKey };
    key = await sealingKey(published.id, published.publicKey);
  });
  beforeEach(async () => {
    relay = await register();
  });
  afterAll(() => api.stop());

  async function register(source = 'warehouse'): Promise<PlayedRelay> {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const { status, body } = await api.send('POST', '/v1/relays', {
      body: { source, publicKey: publicKey.export({ format: 'jwk' }) },
    });
    expect(status).toBe(201);
    return {
      id: String(body.id),
      apiKey: String(body.key),
      signingKey: privateKey,
      signer: signerKey(body.signer as JsonWebKey),
      request: 0,
    };
  }
  const signed = (by: PlayedRelay, batch: Partial<SignedBatch>, signingKey = by.signingKey) =>
    signBatch(signingKey, {
      request: ++by.request,
      sentAt: new Date().toISOString(),
      version: 'test',
      backlog: 0,
      oldestAt: null,
      quarantined: 0,
      segment: null,
      follows: null,
      from: 1,
      records: [],
      ...batch,
    });
  const send = (batch: string, apiKey: string) =>
    api.send('POST', '/v1/relays/batch', { key: apiKey, body: { batch } });
  const submit = async (by: PlayedRelay, batch: Partial<SignedBatch>) =>
    send(await signed(by, batch), by.apiKey);
  const sealed = async (by: PlayedRelay, more: Partial<CaptureHeader> = {}) => {
    const header = { relay: by.id, source: 'warehouse', capturedAt: new Date(), sequence: null };
    const password = Secret.fromText(PASSWORD);
    const content = { account: 'alice', password, hashed: false, current: null };
    return (await sealCapture(key, { ...header, ...more }, content)).toString('latin1');
  };
  const records = (count: number) =>
    Promise.all(Array.from({ length: count }, () => sealed(relay)));
  const rows = async (query: string, values: unknown[] = []) =>
    (await api.database.pool.query(query, values)).rows;
  const kept = async () =>
    (await rows('select jwe from sealed_capture where relay_id = $1 order by id', [relay.id])).map(
      ({ jwe }) => jwe.toString('latin1'),
    );
  const shown = async () => {
    const { body } = await api.send('GET', '/v1/relays');
    return (body.relays as { id: string }[]).find(({ id }) => id === relay.id);
  };
  const audited = (action: string) =>
    rows('select detail from audit where action = $1 and subject = $2', [action, relay.id]);

  test('a relay receives a sealing key that is signed by the signer it has pinned', async () => {
    const { body } = await submit(relay, {});
    const { sealUntil, ...published } = body.key as {
      id: string;
      publicKey: JsonWebKey;
      sealUntil: string;
      signature: string;
    };
    const offered = { ...published, sealUntil: new Date(sealUntil) };
    expect(isPublishedBy(relay.signer, 'capture', offered)).toBe(true);
    // A key for changes is destroyed sooner, so relays must not accept one.
    expect(isPublishedBy(relay.signer, 'change', offered)).toBe(false);
  });

  test('repeated records of a relay are skipped and new ones are ingested', async () => {
    const all = await records(5);
    const first = await submit(relay, { segment: 'one', from: 1, records: all.slice(0, 3) });
    expect(first.body).toMatchObject({ result: 'taken', cursor: { segment: 'one', position: 3 } });
    const again = await submit(relay, { segment: 'one', from: 1, records: all.slice(0, 3) });
    expect(again.body).toMatchObject({ result: 'taken', cursor: { segment: 'one', position: 3 } });
    const more = await submit(relay, { segment: 'one', from: 2, records: all.slice(1) });
    expect(more.body).toMatchObject({ cursor: { segment: 'one', position: 5 } });
    expect(await kept()).toEqual(all);
    expect(await shown()).toMatchObject({ received: 5, lost: 0, open: 5 });
  });

  test('a batch with a gap is not ingested, and the answer has the cursor to continue from', async () => {
    const all = await records(4);
    await submit(relay, { segment: 'one', from: 1, records: all.slice(0, 1) });
    const { body } = await submit(relay, { segment: 'one', from: 3, records: all.slice(2) });
    expect(body).toMatchObject({ result: 'gap', cursor: { segment: 'one', position: 1 } });
    const other = await submit(relay, { segment: 'two', from: 2, records: all.slice(1) });
    expect(other.body).toMatchObject({ result: 'gap' });
    expect(await kept()).toEqual(all.slice(0, 1));
  });

  test('a segment that follows the last record is ingested without a reported gap', async () => {
    const all = await records(2);
    await submit(relay, { segment: 'one', from: 1, records: all.slice(0, 1) });
    const follows = { segment: 'one', position: 1 };
    await submit(relay, { segment: 'two', follows, from: 1, records: all.slice(1) });
    expect(await kept()).toEqual(all);
    expect(await audited('relay.gap')).toEqual([]);
  });

  test.each([
    ['records were quarantined at the relay', { segment: 'one', position: 4 }, 3],
    ['the disk of the relay was replaced', null, null],
    ['the relay was restored from a backup', { segment: 'zero', position: 9 }, null],
  ])(
    'a segment after a gap is ingested and the gap is audited, for example if %s',
    async (_why, follows, missing) => {
      const all = await records(2);
      await submit(relay, { segment: 'one', from: 1, records: all.slice(0, 1) });
      await submit(relay, { segment: 'two', follows, from: 1, records: all.slice(1) });
      expect(await kept()).toEqual(all);
      expect(await audited('relay.gap')).toMatchObject([{ detail: { missing } }]);
      expect(await shown()).toMatchObject({ lost: missing ?? 0 });
    },
  );

  test('damaged and foreign records are counted as lost and audited, and the rest of the batch is ingested', async () => {
    const whole = await sealed(relay);
    const other = await register();
    const strange = [
      null,
      'not a JWE',
      await sealed(other),
      await sealed(relay, { source: 'directory' }),
      whole.replace(/^[^.]+/, (head) =>
        Buffer.from(
          Buffer.from(head, 'base64url')
            .toString()
            .replace(/ep_\w+/, `ep_${'0'.repeat(26)}`),
        ).toString('base64url'),
      ),
    ];
    const { body } = await submit(relay, { segment: 'one', from: 1, records: [...strange, whole] });
    expect(body).toMatchObject({ result: 'taken', cursor: { position: 6 } });
    expect(await kept()).toEqual([whole]);
    expect(await audited('capture.capture_unreadable')).toMatchObject([{ detail: { count: 5 } }]);
    expect(await shown()).toMatchObject({ received: 1, lost: 5 });
  });

  test('a batch that another relay has signed is rejected, even with the API key of the relay', async () => {
    const other = await register();
    const { body } = await send(await signed(relay, {}, other.signingKey), relay.apiKey);
    expect(body).toMatchObject({ status: 400, code: 'request_invalid' });
    const mixed = await send(await signed(relay, {}), other.apiKey);
    expect(mixed.body).toMatchObject({ code: 'request_invalid' });
    const admin = await send(await signed(relay, {}), api.adminKey());
    expect(admin.body).toMatchObject({ status: 403 });
  });

  test('a replayed batch changes nothing, not even the status of the relay', async () => {
    const [record = ''] = await records(1);
    const old = await signed(relay, { backlog: 7, segment: 'one', records: [record] });
    await send(old, relay.apiKey);
    await submit(relay, { backlog: 0 });
    const again = await send(old, relay.apiKey);
    expect(again.body).toMatchObject({ result: 'repeated', request: 2 });
    expect(await shown()).toMatchObject({ backlog: 0, received: 1 });
  });

  test('the API key of a relay can do nothing but submit batches', async () => {
    const capture = { source: 'warehouse', account: 'alice', password: PASSWORD };
    const body = { ...capture, capturedAt: new Date().toISOString() };
    const asked = await api.send('POST', '/v1/captures', { key: relay.apiKey, body });
    expect(asked.status).toBe(403);
    expect((await api.send('GET', '/v1/relays', { key: relay.apiKey })).status).toBe(403);
  });

  test('a relay reports its status until its key is revoked', async () => {
    expect(await shown()).toMatchObject({ heardAt: null, backlog: 0 });
    const oldestAt = new Date(Date.now() - 3_600_000).toISOString();
    const sentAt = new Date(Date.now() + 90_000).toISOString();
    await submit(relay, { backlog: 12, oldestAt, quarantined: 2, sentAt });
    const relayNow = (await shown()) as unknown as { clockAheadMs: number; silentMs: number };
    expect(relayNow).toMatchObject({ backlog: 12, oldestAt, quarantined: 2, version: 'test' });
    expect(relayNow.clockAheadMs).toBeGreaterThan(30_000);
    expect(relayNow.clockAheadMs).toBeLessThanOrEqual(90_000);
    expect(relayNow.silentMs).toBeLessThan(60_000);
    await api.send('DELETE', `/v1/keys/key_${relay.apiKey.split('_')[1]}`);
    expect((await submit(relay, {})).status).toBe(401);
    expect(await shown()).toBeUndefined();
  });

  test('the API neither logs nor stores a password from a relay in plaintext', async () => {
    await submit(relay, { segment: 'one', records: await records(1) });
    expect(api.printed()).not.toContain(PASSWORD);
    expect(JSON.stringify(await rows('select * from relay'))).not.toContain(PASSWORD);
  });
});
