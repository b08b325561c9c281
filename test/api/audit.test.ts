import { generateKeyPairSync } from 'node:crypto';
import { routes } from '../../api/routes';
import { auditSays } from '../../model/audit/says';
import { writeAudit } from '../../store/audit';
import { anyRecord, readAudit } from '../../store/audit-records';
import { claimJob, finishJob } from '../../store/sources/jobs';
import { type CredentialTarget, noteRefusedCredential } from '../../store/worker/set-credentials';
import { dequeueSignIn, noteSignIn } from '../../store/worker/sign-ins';
import { startTestApi, type TestApi } from '../support/api';
import { chainAll } from '../support/audit-chain';
import { addPerson, applyTestConfiguration } from '../support/played-worker';
import { CORE, PASSWORD, type ScimProvider, startScimProvider } from '../support/scim-provider';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

interface Shown {
  readonly position: number | null;
  readonly action: string;
  readonly says: string;
  readonly actor: { readonly id: string; readonly says: string };
  readonly person: string | null;
}

describeWith(['postgres'], 'reading the audit', () => {
  let api: TestApi;
  let key: string;

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
    await addPerson(api.database.db, 'bob');
    key = await api.newKey(['audit']);
  });
  afterAll(() => api.stop());

  const read = async (query: string) => {
    const { body } = await api.send('GET', `/v1/audit?${query}`, { key });
    return { ...body, records: body.records as Shown[] } as {
      readonly records: Shown[];
      readonly next: string | null;
      readonly end: string;
    };
  };
  const actions = async (query: string) => (await read(query)).records.map(({ action }) => action);
  const change = (person: string) =>
    api.send('POST', '/v1/changes', { body: { identity: person, password: PASSWORD } });

  test('a record of the audit names the person, the account and the actor', async () => {
    await change('alice');
    const { records } = await read('person=alice');
    expect(records[0]).toMatchObject({
      action: 'change.accepted',
      person: 'alice',
      says: 'A new password of alice was accepted.',
      actor: { name: 'first admin', says: 'the API key "first admin"' },
    });
    expect(records.map(({ person }) => person)).toEqual(records.map(() => 'alice'));
    expect(records.map(({ says }) => says)).toContain('The person alice was added or updated.');
  });

  test('an account that was unlinked stays readable with its person', async () => {
    const account = { source: 'warehouse', name: 'bob-2' };
    await api.send('PUT', '/v1/identities/bob', { body: { accounts: [account] } });
    await api.send('DELETE', '/v1/identities/bob/accounts?source=warehouse&name=bob-2');
    const [unlinked, ...others] = (await read('person=bob')).records;
    expect(unlinked).toMatchObject({
      says: 'Unlinked the account bob-2 in warehouse of bob.',
      person: 'bob',
    });
    expect(others.map(({ action }) => action)).toContain('account.linked');
  });

  test('a record whose row is gone shows the id and says so', async () => {
    const { db } = api.database;
    await writeAudit(db, {
      actor: 'api-key:key_gone',
      action: 'mapping.flagged',
      subject: 'map_gone',
    });
    const [record] = (await read('limit=1')).records;
    expect(record?.says).toContain('the account map_gone, which is gone');
    expect(record?.actor.says).toBe('the API key key_gone, which is gone');
  });

  test('the filters select by source, action, its first part, actor, change and time', async () => {
    await api.send('POST', '/v1/sources/crm/pause');
    await api.send('POST', '/v1/sources/crm/resume');
    expect(await actions('source=crm&action=source')).toEqual(['source.resumed', 'source.paused']);
    expect(await actions('source=crm&action=source.paused')).toEqual(['source.paused']);
    expect(await actions('actor=first%20admin&action=source.paused')).toEqual(['source.paused']);
    expect(await actions('actor=worker&action=source')).toEqual([]);
    const { body } = await change('bob');
    expect(await actions(`change=${String(body.id)}`)).toEqual(['change.accepted']);
    expect(await actions('since=2999-01-01T00:00:00Z')).toEqual([]);
    expect(await actions('until=2020-01-01T00:00:00Z')).toEqual([]);
  });

  test('pages in the order of the chain hold every record once', async () => {
    await chainAll(api.database.db);
    const positions: (number | null)[] = [];
    let cursor = '0';
    for (;;) {
      const page = await read(`order=oldest&limit=3&cursor=${cursor}`);
      positions.push(...page.records.map(({ position }) => position));
      if (page.next === null) break;
      cursor = page.next;
    }
    expect(positions).toEqual(positions.map((_, index) => index + 1));
    const newest = await read('limit=2');
    const older = await read(`limit=2&cursor=${newest.next}`);
    expect(older.records[0]?.position).toBe((newest.records.at(-1)?.position ?? 0) - 1);
  });

  test('a reader who follows gets a record as soon as a worker has chained it', async () => {
    await chainAll(api.database.db);
    const { end } = await read('order=oldest&limit=1&since=2999-01-01T00:00:00Z');
    const waiting = read(`order=oldest&cursor=${end}&wait=60&action=source`);
    await api.send('POST', '/v1/sources/vault/pause');
    await chainAll(api.database.db);
    expect((await waiting).records).toMatchObject([
      { action: 'source.paused', says: expect.stringContaining('The source vault was paused.') },
    ]);
  });

  test('a key that is bound to groups or lacks the scope reads no record', async () => {
    const bound = await api.newKey(['read', 'help-desk'], ['one-password']);
    expect((await api.send('GET', '/v1/audit', { key: bound })).status).toBe(403);
    const wanted = { name: 'x', scopes: ['audit'], groups: ['one-password'] };
    expect((await api.send('POST', '/v1/keys', { body: wanted })).status).toBe(400);
  });

  test('every record that the tests have written is a sentence without a bare code', async () => {
    const page = { filter: anyRecord, order: 'newest', cursor: null, limit: 1000 } as const;
    const said = (await readAudit(api.database.db, page)).map(auditSays);
    expect(said.filter((says) => !/^[A-Z].* .*\.$/.test(says))).toEqual([]);
  });
});

const relayKey = () => generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });

/** The routes that leave no record, with the reason. */
const withoutRecord: Readonly<Record<string, string>> = {
  'POST /v1/changes/plan': 'It changes nothing.',
  'POST /v1/password-checks': 'It changes nothing.',
  'POST /v1/configuration/plan': 'It changes nothing.',
  'POST /v1/mappings/plan': 'It changes nothing.',
  'POST /v1/password-filters/try': 'It changes nothing.',
  'POST /v1/mappings/generate': 'It changes nothing.',
  'DELETE /v1/me/sessions/{id}':
    'It needs a session; test/console/forgotten.test.ts tests its record.',
  'DELETE /v1/sessions/{id}': 'It needs a session; test/console/desk.test.ts tests its record.',
  'POST /scim/v2/{source}/Users/.search': 'It changes nothing.',
  'POST /v1/notices/test': 'It needs a channel; test/api/notices.test.ts tests its record.',
  ...Object.fromEntries(
    ['initialise', 'receive', 'complete', 'send', 'status'].map((call) => [
      `POST /v1/adapters/{source}/${call}`,
      'It needs an adapter and a worker; test/worker/pull.test.ts tests its record.',
    ]),
  ),
  'POST /v1/relays/batch': 'Each capture of a batch gets its record when a worker ingests it.',
};

describeWith(['postgres'], 'the audit record of a route', () => {
  let provider: ScimProvider;
  /** What a request needs, made before it: a change, a key or a pushed user. */
  let id = '';

  beforeAll(async () => {
    provider = await startScimProvider();
    for (const person of ['alice', 'bob']) await addPerson(provider.api.database.db, person);
  });
  afterAll(() => provider.api.stop());

  const admin = (method: string, path: string, body?: object) =>
    provider.api.send(method, path, { body });
  const make = (path: string, body: object) => async () => {
    id = String((await admin('POST', path, body)).body.id);
  };
  const change = { identity: 'alice', password: PASSWORD };
  const aChange = make('/v1/changes', change);
  const aKey = make('/v1/keys', { name: 'made', scopes: ['read'] });
  const aUser = async () => {
    id = await provider.pushed(`user-${Math.random()}@example.com`);
  };
  const aMapping = async () => {
    const mappings = [{ application: 'reports', enabled: false }];
    await admin('PUT', '/v1/identities/bob', { mappings });
    const { body } = await admin('GET', '/v1/mappings?identity=bob');
    id = (body.mappings as { id: string }[])[0]?.id ?? '';
  };
  /** The key of bob, who has a mapping. */
  let bobsKey = '';
  const asBob = async () => {
    await aMapping();
    const wanted = { name: "bob's", scopes: ['person'], identity: 'bob' };
    bobsKey = String((await admin('POST', '/v1/keys', wanted)).body.key);
  };
  const onOwn = (verb: string) => () =>
    provider.api.send('POST', `/v1/me/applications/${id}/${verb}`, { key: bobsKey });
  const user = { schemas: [`${CORE}:User`], userName: 'ada@example.com' };
  const scim = (method: string, body?: object) => () => provider.send(method, `/Users/${id}`, body);
  const onSource = (verb: string) => () => admin('POST', `/v1/sources/crm/${verb}`);
  const onChange = (verb: string) => () => admin('POST', `/v1/changes/${id}/${verb}`);

  const onPerson = (action: string) => () =>
    admin('POST', `/v1/identities/bob/${action}`, { source: 'warehouse', reason: 'ticket 4711' });

  interface Attempt {
    readonly before?: () => Promise<unknown>;
    readonly send: () => Promise<unknown>;
    /** The records that it leaves, the newest first: one for each thing that it changes. */
    readonly leaves: string;
    /** The name of the key, if it is not that of the administrator. */
    readonly by?: string;
  }

  const attempts: Readonly<Record<string, Attempt>> = {
    'POST /v1/keys': { send: aKey, leaves: 'api-key.created' },
    'POST /v1/keys/{id}/rotate': {
      before: aKey,
      send: () => admin('POST', `/v1/keys/${id}/rotate`),
      leaves: 'api-key.rotated',
    },
    'DELETE /v1/keys/{id}': {
      before: aKey,
      send: () => admin('DELETE', `/v1/keys/${id}`),
      leaves: 'api-key.revoked',
    },
    'POST /v1/changes': { send: aChange, leaves: 'change.accepted' },
    'POST /v1/changes/{id}/cancel': {
      before: aChange,
      send: onChange('cancel'),
      leaves: 'command.cancel',
    },
    'POST /v1/changes/{id}/retry': {
      before: aChange,
      send: onChange('retry'),
      leaves: 'command.retry',
    },
    'POST /v1/changes/{id}/park': {
      before: aChange,
      send: onChange('park'),
      leaves: 'command.park',
    },
    'POST /v1/captures': {
      send: () =>
        admin('POST', '/v1/captures', {
          source: 'warehouse',
          account: 'unknown',
          password: PASSWORD,
          capturedAt: new Date().toISOString(),
        }),
      leaves: 'capture.unmapped',
    },
    'POST /v1/captures/stop': {
      send: () => admin('POST', '/v1/captures/stop', { source: 'warehouse' }),
      leaves: 'captures.stopped',
    },
    'POST /v1/captures/start': {
      send: () => admin('POST', '/v1/captures/start', { source: 'warehouse' }),
      leaves: 'captures.started',
    },
    'POST /v1/captures/reset': {
      send: () => admin('POST', '/v1/captures/reset', { sources: ['warehouse'] }),
      leaves: 'captures.reset',
    },
    'POST /v1/captures/startpoint': {
      send: () => admin('POST', '/v1/captures/startpoint', { source: 'warehouse', from: 'begin' }),
      leaves: 'captures.startpoint',
    },
    'POST /v1/sign-ins': {
      send: async () => {
        const { db } = provider.api.database;
        const answer = admin('POST', '/v1/sign-ins', { identity: 'bob', password: PASSWORD });
        await until(async () => {
          const job = await claimJob(db, 60, ['sign-in']);
          if (job?.source == null) return false;
          const sealed = await dequeueSignIn(db, job.id);
          await noteSignIn(
            db,
            { ...job, source: job.source },
            String(sealed?.account.id),
            'differs',
          );
          await finishJob(db, job.id, 'done', { result: 'differs', reason: null });
          return true;
        });
        await answer;
      },
      leaves: 'sign-in.differs',
    },
    'POST /v1/mappings/set-credentials': {
      before: aMapping,
      send: async () => {
        const { db } = provider.api.database;
        const wanted = { identity: 'bob', application: 'reports', password: PASSWORD };
        const answer = admin('POST', '/v1/mappings/set-credentials', wanted);
        await until(async () => {
          const job = await claimJob(db, 60, ['set-credentials']);
          if (job?.source == null) return false;
          await dequeueSignIn(db, job.id);
          const target = job.parameters as unknown as CredentialTarget;
          const { requestedBy, source } = job;
          await noteRefusedCredential(db, { source, requestedBy }, target, 'credential_wrong');
          const result = { result: 'differs', proof: null, reason: null };
          await finishJob(db, job.id, 'done', result);
          return true;
        });
        await answer;
      },
      leaves: 'mapping.credential-refused',
    },
    'PUT /v1/identities/{name}': {
      send: () =>
        admin('PUT', '/v1/identities/carol', { accounts: [{ source: 'crm', name: 'carol' }] }),
      leaves: 'identity.saved account.linked',
    },
    'POST /v1/identities/import': {
      send: () => admin('POST', '/v1/identities/import', { people: [{ name: 'imported' }] }),
      leaves: 'identity.saved',
    },
    'DELETE /v1/identities/{name}/accounts': {
      send: () => admin('DELETE', '/v1/identities/carol/accounts?source=crm&name=carol'),
      leaves: 'account.unlinked',
    },
    'POST /v1/mappings/import': {
      send: () =>
        admin('POST', '/v1/mappings/import', {
          rows: [{ application: 'reports', identity: 'alice' }],
        }),
      leaves: 'mapping.linked',
    },
    'POST /v1/mappings/{id}/enable': {
      before: aMapping,
      send: () => admin('POST', `/v1/mappings/${id}/enable`),
      leaves: 'mapping.enabled',
    },
    'POST /v1/mappings/{id}/disable': {
      before: aMapping,
      send: () => admin('POST', `/v1/mappings/${id}/disable`),
      leaves: 'mapping.disabled',
    },
    'POST /v1/me/applications/{id}/enable': {
      ...{ before: asBob, send: onOwn('enable'), leaves: 'mapping.enabled', by: "bob's" },
    },
    'POST /v1/me/applications/{id}/disable': {
      ...{ before: asBob, send: onOwn('disable'), leaves: 'mapping.disabled', by: "bob's" },
    },
    'DELETE /v1/mappings/{id}': {
      before: aMapping,
      send: () => admin('DELETE', `/v1/mappings/${id}`),
      leaves: 'mapping.deleted',
    },
    'DELETE /v1/identities/{name}': {
      send: () => admin('DELETE', '/v1/identities/carol'),
      leaves: 'identity.deleted',
    },
    'POST /v1/sources/check': {
      send: () => admin('POST', '/v1/sources/check', { kind: 'pull', settings: {} }),
      leaves: 'job.check',
    },
    'POST /v1/sources/{name}/check': { send: onSource('check'), leaves: 'job.check' },
    'POST /v1/sources/{name}/refresh': { send: onSource('refresh'), leaves: 'job.refresh' },
    'POST /v1/sources/{name}/look': { send: onSource('look'), leaves: 'job.look' },
    'POST /v1/sources/{name}/pause': { send: onSource('pause'), leaves: 'source.paused' },
    'POST /v1/sources/{name}/resume': { send: onSource('resume'), leaves: 'source.resumed' },
    'POST /v1/sources/{name}/retry': { send: onSource('retry'), leaves: 'source.retry' },
    'POST /v1/sources/{name}/park': { send: onSource('park'), leaves: 'source.park' },
    'POST /v1/sources/{name}/cancel': { send: onSource('cancel'), leaves: 'source.cancel' },
    'POST /v1/relays': {
      send: () => admin('POST', '/v1/relays', { source: 'warehouse', publicKey: relayKey() }),
      leaves: 'relay.created api-key.created',
    },
    'POST /v1/identities/{name}/unlock': {
      send: onPerson('unlock'),
      leaves: 'account.unlock.requested',
    },
    'POST /v1/identities/{name}/force-change': {
      send: onPerson('force-change'),
      leaves: 'account.force-change.requested',
    },
    'POST /v1/identities/{name}/one-time-link': {
      send: () =>
        admin('POST', '/v1/identities/alice/one-time-link', { check: 'video', reason: 'ticket 1' }),
      leaves: 'one-time-link.created',
    },
    'POST /v1/audit/verifications': {
      send: () => admin('POST', '/v1/audit/verifications'),
      leaves: 'job.verify-audit',
    },
    'POST /scim/v2/{source}/Users': { send: aUser, leaves: 'scim-user.created', by: 'capture' },
    'PUT /scim/v2/{source}/Users/{id}': {
      before: aUser,
      send: scim('PUT', user),
      leaves: 'scim-user.updated',
      by: 'capture',
    },
    'PATCH /scim/v2/{source}/Users/{id}': {
      before: aUser,
      send: () => provider.patch(id, { op: 'replace', path: 'active', value: false }),
      leaves: 'scim-user.updated',
      by: 'capture',
    },
    'DELETE /scim/v2/{source}/Users/{id}': {
      before: aUser,
      send: scim('DELETE'),
      leaves: 'scim-user.removed',
      by: 'capture',
    },
    // The last one, because it removes the sources.
    'POST /v1/configuration/apply': {
      send: () =>
        admin('POST', '/v1/configuration/apply', { document: { version: 1 }, version: 1 }),
      leaves: 'configuration.applied',
    },
  };

  test.each(Object.entries(attempts))(
    '%s leaves one record for each thing that it changes, with its caller',
    async (_route, wanted) => {
      const { db } = provider.api.database;
      const page = { filter: anyRecord, order: 'newest', cursor: null, limit: 100 } as const;
      await wanted.before?.();
      const [last] = await readAudit(db, page);
      await wanted.send();
      const left = (await readAudit(db, page)).filter((record) => record.id > (last?.id ?? 0));
      expect(left.map(({ action }) => action).join(' ')).toBe(wanted.leaves);
      expect(left.map(({ actor }) => actor.name)).toEqual(
        left.map(() => wanted.by ?? 'first admin'),
      );
      expect(left.map(auditSays).filter((says) => !/^[A-Z].* .*\.$/.test(says))).toEqual([]);
    },
  );

  test('every route that is not a GET is tried here, or leaves no record for a reason', () => {
    const writing = routes
      .filter(({ method }) => method !== 'get')
      .map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect([...Object.keys(attempts), ...Object.keys(withoutRecord)].sort()).toEqual(
      writing.sort(),
    );
  });
});
