import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { exactRules } from '../../model/people/naming';
import { destroyPasswords, unseal } from '../../sealing/passwords';
import { forgetFingerprints } from '../../store/captures/fingerprints';
import { applyConfiguration, currentConfiguration } from '../../store/configuration/versions';
import { findIdentity, saveIdentity } from '../../store/people/identities';
import { readChangeAtWork } from '../../store/worker/outcomes';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, ended, testConfiguration } from '../support/played-worker';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';

const PASSWORD = 'correct horse battery staple';
const HOUR = 3_600_000;

/** The test configuration with captures enabled for `directory`, `warehouse` and `ledger`. */
const capturing = (more: Record<string, object> = {}) =>
  configurationSchema.parse({
    ...testConfiguration,
    sources: {
      ...testConfiguration.sources,
      directory: { kind: 'ldap', settings: {}, capture: { enabled: true } },
      warehouse: {
        kind: 'ldap',
        settings: {},
        capture: { enabled: true, verifyCurrent: false },
      },
      ledger: { kind: 'ldap', settings: {}, capture: { enabled: true } },
      ...more,
    },
  });

describeWith(['postgres'], 'captures', () => {
  let api: TestApi;
  let relay: string;
  let people = 0;

  beforeAll(async () => {
    api = await startTestApi();
    await configure(capturing());
    relay = await api.newKey(['capture']);
  });
  afterEach(async () => {
    for (const table of ['audit', 'change'])
      expect(JSON.stringify(await rows(`select * from ${table}`))).not.toContain(PASSWORD);
    expect(api.printed()).not.toContain(PASSWORD);
  });
  afterAll(() => api.stop());

  async function configure(configuration: ReturnType<typeof capturing>): Promise<void> {
    const { db } = api.database;
    const { version } = await currentConfiguration(db);
    await applyConfiguration(db, configuration, version, 'test', accountRulesOf);
  }
  async function person(sources?: readonly string[]): Promise<string> {
    const name = `person-${++people}`;
    await addPerson(api.database.db, name, sources);
    return name;
  }
  const rows = async (query: string, values: unknown[] = []) =>
    (await api.database.pool.query(query, values)).rows;
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
  const capture = (
    account: string,
    more: object = {},
    { key = relay, headers = {} }: { key?: string; headers?: Record<string, string> } = {},
  ) =>
    api.send('POST', '/v1/captures', {
      key,
      headers,
      body: { source: 'warehouse', account, password: PASSWORD, capturedAt: ago(0), ...more },
    });
  const lastAudit = async () =>
    (await rows('select action, subject, detail from audit order by id desc limit 1'))[0];
  const changesOf = (name: string) =>
    rows('select * from change where identity_name = $1 order by seq', [name]);

  test('an accepted capture becomes a change whose age counts from the capture', async () => {
    const alice = await person();
    const capturedAt = ago(HOUR);
    const reply = await capture(alice, { capturedAt });
    expect(reply.status).toBe(202);
    expect(reply.body).toMatchObject({ identity: alice, state: 'accepted', capturedAt });
    const read = await api.send('GET', reply.headers.get('location') ?? '');
    expect(read.body).toEqual(reply.body);
    const [{ expires_at, captured_at }] = await changesOf(alice);
    expect(expires_at - captured_at).toBe(72 * HOUR);
  });

  test('a capture from the future counts as captured now, so a fast clock does not override later changes', async () => {
    const alice = await person();
    await capture(alice, { capturedAt: ago(-HOUR) });
    const next = await capture(alice, { password: `${PASSWORD} 2` });
    expect(next.status).toBe(202);
  });

  test(
    keeps(
      'a capture of an unlinked account has no effect, and the audit does not name the account',
      7,
    ),
    async () => {
      const reply = await capture('nobody-known');
      expect(reply.status).toBe(200);
      expect(reply.body).toMatchObject({ result: 'unmapped' });
      const audited = await lastAudit();
      expect(audited).toMatchObject({ action: 'capture.unmapped', subject: null });
      expect(JSON.stringify(audited)).not.toContain('nobody-known');
    },
  );

  test('a capture of an account that a change would leave out has no effect', async () => {
    const alice = await person();
    const second = { source: 'warehouse', name: `${alice}-2`, nativeId: null, primary: false };
    const { db } = api.database;
    await saveIdentity(
      db,
      { name: alice, attributes: {} },
      [second],
      'operator',
      'test',
      () => exactRules,
    );
    expect((await capture(`${alice}-2`)).body).toMatchObject({ result: 'unmapped' });
    expect((await capture(alice)).status).toBe(202);
  });

  test(
    keeps('a capture is rejected for a source without captures, whichever account it names', 19),
    async () => {
      const alice = await person(['directory', 'crm']);
      await configure(
        capturing({
          crm: { kind: 'ldap', settings: {}, enabled: false, capture: { enabled: true } },
        }),
      );
      const vault = { source: 'vault' };
      for (const [account, more] of [
        [alice, vault],
        ['nobody', vault],
        [alice, { source: 'crm' }],
        ['nobody', { source: 'crm' }],
        [alice, { source: 'nowhere' }],
        [alice, { source: 'constructor' }],
      ] as const)
        expect((await capture(account, more)).body).toMatchObject({
          status: 403,
          code: 'capture_disabled',
        });
      expect(await lastAudit()).toMatchObject({ action: 'capture.capture_disabled' });
      expect(await changesOf(alice)).toEqual([]);
      await configure(capturing());
    },
  );

  test('a key that is bound to groups cannot report captures of sources in other groups', async () => {
    const alice = await person(['directory', 'warehouse', 'ledger']);
    const key = await api.newKey(['capture'], ['finance']);
    for (const account of [alice, 'nobody'])
      expect((await capture(account, {}, { key })).body).toMatchObject({
        code: 'capture_disabled',
      });
    const own = { source: 'ledger', password: `${PASSWORD} 12` };
    expect((await capture(alice, own, { key })).body).toMatchObject({ groups: ['finance'] });
    expect((await capture('nobody', own, { key })).body).toMatchObject({ result: 'unmapped' });
  });

  test('a capture that breaks the policy of the group starts no change and is audited', async () => {
    const alice = await person();
    const reply = await capture(alice, { password: 'short' });
    expect(reply.body).toMatchObject({ status: 422, code: 'password_against_policy' });
    expect(await lastAudit()).toMatchObject({
      action: 'capture.password_against_policy',
      detail: { source: 'warehouse' },
    });
    expect(await changesOf(alice)).toEqual([]);
  });

  test('a capture beyond the age limit starts no change', async () => {
    const alice = await person();
    const reply = await capture(alice, { capturedAt: ago(72 * HOUR) });
    expect(reply.body).toMatchObject({ result: 'expired' });
    expect(await lastAudit()).toMatchObject({ action: 'capture.expired' });
  });

  test('a capture is compared with the latest change, unless that change was refused', async () => {
    const alice = await person();
    const capturedAt = ago(1);
    const asked = await api.send('POST', '/v1/changes', {
      body: { identity: alice, password: `${PASSWORD} 2` },
    });
    expect((await capture(alice, { capturedAt })).body).toMatchObject({ result: 'stale' });
    expect((await capture(alice, { password: `${PASSWORD} 2` })).body).toMatchObject({
      result: 'duplicate',
    });
    const { db } = api.database;
    await ended(db, String(asked.body.id), { state: 'refused', reason: 'policy_history' });
    expect((await capture(alice, { capturedAt })).status).toBe(202);
  });

  test('twenty identical captures at once become one change', async () => {
    const alice = await person();
    const capturedAt = ago(0);
    const replies = await Promise.all(
      [...Array(20).keys()].map(() => capture(alice, { capturedAt })),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([...Array(19).fill(200), 202]);
    expect(await changesOf(alice)).toHaveLength(1);
  });

  test('a capture repeated under the same Idempotency-Key returns the same change', async () => {
    const alice = await person();
    const headers = { 'idempotency-key': 'seen-once' };
    const capturedAt = ago(0);
    const first = await capture(alice, { capturedAt }, { headers });
    const again = await capture(alice, { capturedAt }, { headers });
    expect(again.status).toBe(202);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const other = await capture(alice, { capturedAt: ago(HOUR) }, { headers });
    expect(other.body).toMatchObject({ code: 'idempotency_conflict' });
  });

  test('the current password is sealed only if the source has it verified', async () => {
    const sealed = async (more: object) => {
      const alice = await person();
      const { body } = await capture(alice, { currentPassword: 'the one before', ...more });
      const [row] = await changesOf(alice);
      const secret = (await readChangeAtWork(api.database.db, String(body.id)))?.sealed ?? null;
      const key = await api.keys.epochKey(secret?.epochId ?? '');
      if (secret === null || key === null) throw new Error('nothing is sealed');
      const sealedFor = { changeId: row.id, identityId: row.identity_id, seq: row.seq };
      const opened = await unseal(secret.jwe, key, { ...sealedFor, expiresAt: row.expires_at });
      const texts = [opened.next.text(), opened.current?.text() ?? null];
      destroyPasswords(opened);
      return texts;
    };
    expect(await sealed({})).toEqual([PASSWORD, null]);
    expect(await sealed({ source: 'directory' })).toEqual([PASSWORD, null]);
    await configure(
      capturing({ warehouse: { kind: 'ldap', settings: {}, capture: { enabled: true } } }),
    );
    expect(await sealed({})).toEqual([PASSWORD, 'the one before']);
    await configure(capturing());
  });

  describe('captures of hashes', () => {
    const CRYPT = `$6$saltstring$${'a'.repeat(86)}`;
    const hashed = () =>
      capturing({
        warehouse: {
          kind: 'ldap',
          settings: {},
          capture: { enabled: true, verifyCurrent: false, forms: ['ssha512', 'sha512-crypt'] },
        },
      });
    const send = (account: string, more: object) =>
      capture(account, { password: undefined, ...more });
    beforeAll(() => configure(hashed()));
    afterAll(() => configure(capturing()));

    test('a captured hash becomes a change that shows its form and skipped policy, sealed in a canonical form with a seed', async () => {
      const alice = await person();
      const { status, body } = await send(alice, { encoded: CRYPT });
      expect(status).toBe(202);
      expect(body).toMatchObject({ form: 'sha512-crypt', policy: 'skipped' });
      const [row] = await changesOf(alice);
      const secret = (await readChangeAtWork(api.database.db, String(body.id)))?.sealed ?? null;
      const key = await api.keys.epochKey(secret?.epochId ?? '');
      if (secret === null || key === null) throw new Error('nothing is sealed');
      const sealedFor = { changeId: row.id, identityId: row.identity_id, seq: row.seq };
      const opened = await unseal(secret.jwe, key, { ...sealedFor, expiresAt: row.expires_at });
      expect([opened.next.text(), opened.form]).toEqual([`{CRYPT}${CRYPT}`, 'sha512-crypt']);
      expect(opened.seed.use((bytes) => new Set(bytes).size)).toBeGreaterThan(8);
      destroyPasswords(opened);
    });

    test('two spellings of the same captured hash are one change', async () => {
      const alice = await person();
      const capturedAt = ago(0);
      expect((await send(alice, { encoded: CRYPT, capturedAt })).status).toBe(202);
      const again = await send(alice, { encoded: `{crypt}${CRYPT}`, capturedAt });
      expect(again.body).toMatchObject({ result: 'duplicate' });
    });

    test.each([
      ['with an unknown scheme', '{CLEARTEXT}hunter2-hunter2'],
      ['that is cut short', CRYPT.slice(0, -1)],
      ['with an excessive work factor', CRYPT.replace('$6$', '$6$rounds=9999999$')],
      ['that is not a hash', 'hunter2-hunter2'],
    ])(
      'a captured hash %s is rejected, and neither stored nor repeated in the answer',
      async (_what, encoded) => {
        const alice = await person();
        const reply = await send(alice, { encoded });
        expect(reply.body).toMatchObject({ status: 422, code: 'encoding_unknown' });
        expect(reply.text).not.toContain(encoded.slice(8, 20));
        expect(await changesOf(alice)).toEqual([]);
        const audited = await lastAudit();
        expect(audited).toMatchObject({ action: 'capture.encoding_unknown' });
        expect(JSON.stringify(audited)).not.toContain(encoded.slice(8, 20));
        expect(api.printed()).not.toContain(encoded.slice(8, 20));
      },
    );

    test('a capture in a form that the source is not configured for is rejected', async () => {
      const alice = await person();
      const ssha = '{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3';
      for (const more of [
        { encoded: ssha },
        { password: PASSWORD },
        // This source provides passwords, not hashes.
        { source: 'directory', encoded: CRYPT },
      ])
        expect((await send(alice, more)).body).toMatchObject({ code: 'form_not_taken' });
      expect(await changesOf(alice)).toEqual([]);
    });

    test('a capture carries either a password or a hash, never both', async () => {
      const alice = await person();
      const both = await send(alice, { encoded: CRYPT, password: PASSWORD });
      expect(both.body).toMatchObject({ code: 'request_invalid' });
      expect((await send(alice, {})).body).toMatchObject({ code: 'request_invalid' });
    });
  });

  describe('fingerprints of captures', () => {
    const fingerprints = async (name: string): Promise<Buffer[] | null> =>
      (await changesOf(name))[0]?.password_fingerprints;
    const ask = (identity: string) =>
      api.send('POST', '/v1/changes', { body: { identity, password: `${PASSWORD} 12` } });

    test('fingerprints do not show that two people have the same password', async () => {
      const [alice, bob] = [await person(), await person()];
      await Promise.all([ask(alice), ask(bob)]);
      const [[ofAlice], [ofBob]] = [await fingerprints(alice), await fingerprints(bob)] as [
        Buffer[],
        Buffer[],
      ];
      expect(ofAlice).toHaveLength(32);
      expect(ofAlice?.equals(ofBob as Buffer)).toBe(false);
    });

    test('fingerprints are not stored if no source of the change has captures enabled', async () => {
      const alice = await person(['ledger', 'vault']);
      await configure(capturing({ ledger: { kind: 'ldap', settings: {} } }));
      await ask(alice);
      expect(await fingerprints(alice)).toBeNull();
      await configure(capturing());
    });

    test('no answer contains a fingerprint', async () => {
      const alice = await person();
      const { body } = await ask(alice);
      const [fingerprint] = (await fingerprints(alice)) ?? [];
      const id = String(body.id);
      for (const path of ['', `/${id}`, `/${id}/audit`])
        for (const form of ['hex', 'base64', 'base64url'] as const)
          expect((await api.send('GET', `/v1/changes${path}`)).text).not.toContain(
            fingerprint?.toString(form).slice(0, 20),
          );
    });

    test('fingerprints are deleted once a capture of the password would be too old', async () => {
      const alice = await person();
      const { body } = await ask(alice);
      const { db } = api.database;
      await ended(db, String(body.id), { state: 'done', reason: null });
      const endedAgo = (hours: number) =>
        rows(`update change set ended_at = now() - make_interval(hours => $2) where id = $1`, [
          body.id,
          hours,
        ]);
      await endedAgo(71);
      await forgetFingerprints(db);
      expect(await fingerprints(alice)).toHaveLength(1);
      await endedAgo(73);
      await forgetFingerprints(db);
      expect(await fingerprints(alice)).toBeNull();
    });
  });

  test('each result of a capture is counted by source and way of arrival, and no text of a caller becomes a label', async () => {
    const { db } = api.database;
    await configure(capturing());
    const name = await person();
    const counted = async () => {
      const text = await (await fetch(`${api.opsUrl}/metrics`)).text();
      return Object.fromEntries(
        [
          ...text.matchAll(
            /^lockstep_captures_total\{source="(.+)",via="api",result="(.+)"\} (\d+)$/gm,
          ),
        ].map(([, source, result, count]) => [`${source} ${result}`, Number(count)]),
      );
    };
    const before = await counted();
    const send = (source: string, more: object = {}, headers = {}) =>
      api.send('POST', '/v1/captures', {
        key: relay,
        headers,
        body: {
          ...{ source, account: `${source}-${name}`, password: PASSWORD },
          ...{ capturedAt: new Date().toISOString(), ...more },
        },
      });
    const { accounts } = (await findIdentity(db, { name })) ?? { accounts: [] };
    const account = accounts.find(({ source }) => source === 'directory')?.name ?? '';
    const key = { 'idempotency-key': `count-${name}` };
    const capturedAt = new Date().toISOString();
    for (const headers of [key, key])
      expect((await send('directory', { account, capturedAt }, headers)).status).toBe(202);
    await send('directory', { account });
    await send('directory', { account: 'nobody' });
    await send('no-such-source');
    await send('directory', { account, password: undefined, encoded: 'no hash' });
    const since = Object.fromEntries(
      Object.entries(await counted())
        .map(([label, count]) => [label, count - (before[label] ?? 0)] as const)
        .filter(([, count]) => count > 0),
    );
    expect(since).toEqual({
      'directory accepted': 1,
      'directory repeated': 1,
      'directory duplicate': 1,
      'directory unmapped': 1,
      'unknown capture_disabled': 1,
      'directory encoding_unknown': 1,
    });
  });
});
