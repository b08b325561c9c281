import { sql } from 'kysely';
import { REFUSED_AFTER_MS } from '../../lookup/app';
import type { lookupRefusals } from '../../model/lookup/rules';
import { revokeApiKey } from '../../store/api-keys';
import { faultOfRole } from '../../store/lookup';
import { enableMapping } from '../../store/people/mappings';
import { type KeyServer, openSealedKeys } from '../../store/worker/keys/sealed-keys';
import { startTestLookup, type TestLookup } from '../support/lookup';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const source = 'warehouse';
const applications = {
  wiki: {
    source,
    fields: [
      { name: 'login' },
      { name: 'secret', synced: true },
      { name: 'domain', default: 'HARBOR' },
    ],
  },
  bills: { source },
  disabled: { source, enabled: false },
  pushed: { source, windowsInitiated: false },
  closed: { source, users: { identities: ['bob'] } },
};

describeWith(['postgres'], 'the lookup service', () => {
  let lookup: TestLookup;
  let isAway = false;
  let mappings: Record<string, string>;

  beforeAll(async () => {
    lookup = await startTestLookup({
      people: ['alice', 'bob', 'carol'],
      keys: (keys) => ({
        ...keys,
        masterKey: async (id) => {
          if (isAway) throw new Error('the key folder is away');
          return keys.masterKey(id);
        },
      }),
    });
    await lookup.configure(applications);
    mappings = {
      wiki: await lookup.store('alice', 'wiki', 'word of "alice" ü'),
      disabled: await lookup.store('alice', 'disabled', 'one more'),
      pushed: await lookup.store('alice', 'pushed', 'one more'),
      closed: await lookup.store('alice', 'closed', 'one more'),
    };
    await lookup.store('bob', 'wiki', 'word of bob');
  });
  afterAll(() => lookup.stop());

  const get = (person: string, rest: string) =>
    lookup.send(person, 'GET', `/v1/credentials/${rest}`);

  test('its role reads the master keys that a key server has sealed, and adds none', async () => {
    const server: KeyServer = {
      place: 'test',
      seal: async (_id, bytes) => bytes.toString('hex'),
      open: async (_id, sealed) => Buffer.from(sealed, 'hex'),
    };
    const { id } = await openSealedKeys(lookup.database.db, server).currentMasterKey();
    const limited = openSealedKeys(lookup.limited.db, server);
    expect((await limited.masterKey(id)).id).toBe(id);
    const added = sql`insert into master_key (id, sealed, fingerprint) values ('k', 's', '')`;
    await expect(added.execute(lookup.limited.db)).rejects.toThrow('permission denied');
  });

  test('a person reads the stored credential of their own account, and no other', async () => {
    const { status, headers, body } = await get('alice', 'wiki');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        application: 'wiki',
        userId: 'alice',
        password: 'word of "alice" ü',
        fields: { domain: 'HARBOR' },
        state: 'in_sync',
        fromMemory: false,
        readAt: expect.any(String),
      },
    });
    expect(headers.get('cache-control')).toBe('no-store');
    expect((await get('bob', 'wiki')).body.password).toBe('word of bob');
    expect((await get('alice', 'wiki?account=bob')).body.code).toBe('lookup_refused');
  });

  const refusals: readonly [string, string, keyof typeof lookupRefusals][] = [
    ['an unknown application', 'unknown', 'application_unknown'],
    ['an application that is disabled', 'disabled', 'application_disabled'],
    ['an application without look-ups by people', 'pushed', 'not_windows_initiated'],
    ['an application of other people', 'closed', 'not_a_user'],
    ['an application without a mapping of the person', 'bills', 'no_credential'],
  ];

  test.each(refusals)(
    'the refusal of %s has the common answer, and its reason is in the audit only',
    async (_what, application, reason) => {
      await lookup.audited();
      const refused = await get('alice', application);
      expect({ ...refused, headers: null }).toEqual({
        ...(await get('carol', 'wiki')),
        headers: null,
      });
      expect(refused).toMatchObject({ status: 404, body: { code: 'lookup_refused' } });
      const [record] = await lookup.audited();
      expect(record).toMatchObject({
        action: 'credential.refused',
        detail: { reason, subject: reason === 'application_unknown' ? null : application },
      });
    },
  );

  test('a disabled mapping, a mapping without a credential and a choice among several are refused in the same way', async () => {
    const reasonOf = async (rest: string) => {
      await lookup.audited();
      expect((await get('alice', rest)).body.code).toBe('lookup_refused');
      return (await lookup.audited())[0]?.detail.reason;
    };
    const { db } = lookup.database;
    await enableMapping(db, mappings.wiki ?? '', false, 'test');
    expect(await reasonOf('wiki')).toBe('no_credential');
    await enableMapping(db, mappings.wiki ?? '', true, 'test');
    await lookup.store('alice', 'bills', null);
    expect(await reasonOf('bills')).toBe('no_credential');
    await db.deleteFrom('mapping').where('application', '=', 'bills').execute();
  });

  test('every refusal takes the same minimum time and runs the same statements', async () => {
    const statements = jest.spyOn(lookup.limited.pool, 'connect');
    const seen = new Set<number>();
    for (const [, application] of refusals) {
      await get('alice', application);
      const before = statements.mock.calls.length;
      const began = performance.now();
      await get('alice', application);
      expect(performance.now() - began).toBeGreaterThanOrEqual(REFUSED_AFTER_MS - 1);
      seen.add(statements.mock.calls.length - before);
    }
    statements.mockRestore();
    expect(seen.size).toBe(1);
  });

  test('each read is recorded before it is answered', async () => {
    await lookup.audited();
    await get('alice', 'wiki');
    expect(await lookup.audited()).toMatchObject([
      { action: 'credential.read', detail: { subject: 'wiki', account: 'alice', via: 'own' } },
    ]);
    const { db } = lookup.database;
    await sql`alter table audit add constraint closed check (action <> 'credential.read') not valid`.execute(
      db,
    );
    expect((await get('alice', 'wiki')).status).toBe(500);
    await sql`alter table audit drop constraint closed`.execute(db);
  });

  test('an unavailable master key is answered with keys_away', async () => {
    isAway = true;
    expect(await get('alice', 'wiki')).toMatchObject({ status: 503, body: { code: 'keys_away' } });
    isAway = false;
  });

  test('the role of the service can read no table, and only the columns and rows of its views', async () => {
    const { rows: tables } = await sql<{ name: string }>`
      select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'lookup')
        and c.relkind in ('r', 'p', 'v', 'm', 'S')`.execute(lookup.database.db);
    expect(tables.length).toBeGreaterThan(30);
    for (const { name } of tables)
      await expect(sql.raw(`select * from ${name}`).execute(lookup.limited.db)).rejects.toThrow(
        'permission denied',
      );
    const { rows } = await sql<{ document: object }>`
      select document from lookup.configuration`.execute(lookup.limited.db);
    expect(rows.map(({ document }) => Object.keys(document).sort())).toEqual([
      ['applications', 'peopleGroups', 'sso', 'version'],
    ]);
  });

  test.each([
    `insert into lookup.audit (actor, action, detail) values ('worker', 'change.succeeded', '{}')`,
    `update lookup.mapping set sealed = null`,
    `delete from lookup.api_key`,
    `update lookup.api_key set scopes = array['admin']`,
    'select * from lookup.audit',
  ])('the role of the service cannot run: %s', async (statement) => {
    await expect(sql.raw(statement).execute(lookup.limited.db)).rejects.toThrow(
      /check option|permission denied|cannot update view/,
    );
  });

  test('the service recognises a role that reads too much or too little', async () => {
    expect(await faultOfRole(lookup.limited.db)).toBeNull();
    expect(await faultOfRole(lookup.database.db)).toBe('reads_tables');
  });

  test('the time at which a key was last used is recorded', async () => {
    await get('alice', 'wiki');
    const used = async () => {
      const row = await lookup.database.db
        .selectFrom('api_key')
        .select('last_used_at')
        .where('id', '=', lookup.keyOf('alice').id)
        .executeTakeFirst();
      return row?.last_used_at !== null;
    };
    await until(used);
  });

  test('the key of a person who was removed reads nothing', async () => {
    await lookup.store('carol', 'wiki', 'word of carol');
    expect((await get('carol', 'wiki')).status).toBe(200);
    await lookup.database.db.deleteFrom('identity').where('name', '=', 'carol').execute();
    await lookup.audited();
    expect((await get('carol', 'wiki')).body.code).toBe('lookup_refused');
    expect(await lookup.audited()).toMatchObject([{ detail: { reason: 'person_unknown' } }]);
  });

  test('a revoked key is refused from the next request on', async () => {
    expect((await get('bob', 'wiki')).status).toBe(200);
    await revokeApiKey(lookup.database.db, lookup.keyOf('bob').id, 'test');
    expect((await get('bob', 'wiki')).status).toBe(401);
  });
});
