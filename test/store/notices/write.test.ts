import { sql } from 'kysely';
import { configurationSchema } from '../../../model/configuration/document';
import { exactRules } from '../../../model/people/naming';
import { createApiKey } from '../../../store/api-keys';
import { spreadNotices } from '../../../store/notices/spread';
import { forgetNotices, watchForNotices } from '../../../store/notices/watch';
import { saveIdentity } from '../../../store/people/identities';
import { openCircuit, pauseSource, reopenSource } from '../../../store/sources/state';
import { settleAccounts } from '../../../store/worker/outcomes';
import { destinationsOf } from '../../../worker/notices/destinations';
import { type TestDatabase, testDatabase } from '../../support/database';
import { describeWith } from '../../support/servers';

const configuration = configurationSchema.parse({
  version: 1,
  notices: {
    everyone: {
      kind: 'mail',
      for: ['people', 'operators'],
      settings: { host: 'mail.test', from: 'lockstep@example.com', to: ['ops@example.com'] },
    },
  },
});

/** Which notices are written, and which of them are sent. */
describeWith(['postgres'], 'the table of notices', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await testDatabase();
    await sql`insert into configuration (version, document, applied_by)
              values (1, ${JSON.stringify(configuration)}::jsonb, 'test')`.execute(database.db);
  });
  afterEach(() => database.close());

  const down = (source = 'crm') => openCircuit(database.db, source, 'unreachable', 1000);
  const up = (source = 'crm') => reopenSource(database.db, source, 'down', 'worker');

  /** Lets a time pass, for everything that is compared with the clock of the database. */
  async function pass(interval: string) {
    for (const statement of [
      sql`update notice set created_at = created_at - ${interval}::interval, due_at = due_at - ${interval}::interval`,
      sql`update relay set heard_at = heard_at - ${interval}::interval, created_at = created_at - ${interval}::interval`,
      sql`update api_key set expires_at = expires_at - ${interval}::interval, created_at = created_at - ${interval}::interval`,
    ])
      await statement.execute(database.db);
  }

  const spread = () =>
    spreadNotices(database.db, 50, async () => (notice) => destinationsOf(configuration, notice));

  /** The kinds of the notices that were sent, in order, with `!` for a reminder. */
  async function sent(): Promise<string[]> {
    while ((await spread()) > 0);
    const { rows } = await sql<{ kind: string; reminder: boolean }>`
      select kind, reminder from notice where state in ('sending', 'sent') order by number`.execute(
      database.db,
    );
    return rows.map(({ kind, reminder }) => `${kind}${reminder ? '!' : ''}`);
  }

  const recipients = async () =>
    (
      await database.db
        .selectFrom('notice_delivery')
        .select(['recipient', 'state', 'reason'])
        .orderBy('recipient')
        .execute()
    ).map(({ recipient, reason }) => recipient ?? reason);

  test('an outage that lasts causes one notice, and one when the source works again', async () => {
    await down();
    expect(await sent()).toEqual([]);
    await pass('3 minutes');
    expect(await sent()).toEqual(['source_down']);
    await up();
    await pass('3 minutes');
    expect(await sent()).toEqual(['source_down', 'source_up']);
    expect(await recipients()).toEqual(['ops@example.com', 'ops@example.com']);
  });

  test('a source that flaps causes no notice of its outages, but one that it is unstable', async () => {
    for (let outage = 0; outage < 6; outage++) {
      await down();
      await up();
    }
    await pass('3 minutes');
    expect(await sent()).toEqual([]);
    await watchForNotices(database.db);
    await watchForNotices(database.db);
    expect(await sent()).toEqual(['source_unstable']);
  });

  test('a source that is back for a moment only is not reported as working again, nor as down twice', async () => {
    await down();
    await pass('3 minutes');
    await sent();
    await up();
    await down();
    await pass('3 minutes');
    expect(await sent()).toEqual(['source_down']);
  });

  test('a source that the worker pauses while it is down is reported once more, because now an operator must act', async () => {
    await down();
    await pass('3 minutes');
    await sent();
    await pauseSource(database.db, 'crm', 'service_credential_refused', 'worker');
    await pass('3 minutes');
    expect(await sent()).toEqual(['source_down', 'source_paused']);
  });

  test('a source that stays down is reported again each day until it is up', async () => {
    await down();
    await pass('3 minutes');
    await sent();
    for (const day of [1, 2]) {
      await pass('25 hours');
      await watchForNotices(database.db);
      await watchForNotices(database.db);
      expect(await sent()).toHaveLength(1 + day);
    }
    await up();
    await pass('25 hours');
    await watchForNotices(database.db);
    expect(await sent()).toEqual(['source_down', 'source_down!', 'source_down!', 'source_up']);
  });

  test('a relay that is silent causes one notice, and one when it is heard again, and none once it is revoked', async () => {
    const { db } = database;
    const { id: key } = await createApiKey(
      db,
      { name: 'relay', scopes: ['relay'], groups: null, expiresAt: null },
      'test',
    );
    await sql`insert into relay (id, source, api_key_id, public_key, heard_at)
              values ('rly_1', 'domain', ${key}, '{}', now())`.execute(db);
    const watched = async () => {
      await watchForNotices(db);
      return sent();
    };
    expect(await watched()).toEqual([]);
    await pass('16 minutes');
    expect(await watched()).toEqual(['relay_silent']);
    await pass('16 minutes');
    expect(await watched()).toEqual(['relay_silent']);
    await sql`update relay set heard_at = now()`.execute(db);
    expect(await watched()).toEqual(['relay_silent', 'relay_heard']);
    await pass('16 minutes');
    expect(await watched()).toEqual(['relay_silent', 'relay_heard', 'relay_silent']);
    await sql`update api_key set revoked_at = now()`.execute(db);
    await pass('25 hours');
    expect(await watched()).toHaveLength(3);
  });

  test('a key is reported two weeks and one day before it ends, unless it is short-lived on purpose', async () => {
    const { db } = database;
    const days = (count: number) => new Date(Date.now() + count * 86_400_000);
    for (const [name, count] of [
      ['long', 90],
      ['short', 1],
    ] as const)
      await createApiKey(
        db,
        { name, scopes: ['read'], groups: null, expiresAt: days(count) },
        'test',
      );
    const watched = async () => {
      await watchForNotices(db);
      return sent();
    };
    expect(await watched()).toEqual([]);
    await pass('77 days');
    expect(await watched()).toEqual(['key_ending']);
    await pass('6 days');
    expect(await watched()).toEqual(['key_ending']);
    await pass('6 days 12 hours');
    expect(await watched()).toEqual(['key_ending', 'key_ending']);
  });

  test('a notice to a person also goes to the addresses that they had within the last 30 days, and to no attribute without a channel', async () => {
    const { db } = database;
    const save = (attributes: Record<string, string>) =>
      saveIdentity(db, { name: 'ann', attributes }, [], 'operator', 'test', () => exactRules);
    await save({ mail: 'ann@before.example', phone: '1' });
    await save({ mail: 'ann@before.example', phone: '2' });
    await save({ mail: 'thief@evil.example', phone: '3' });
    const kept = await sql<{ address: string }>`select address from former_address`.execute(db);
    expect(kept.rows).toEqual([{ address: 'ann@before.example' }]);
    const notify = () =>
      sql`insert into notice (kind, identity_id) select 'password_changed', id from identity`.execute(
        db,
      );
    await notify();
    expect(await sent()).toEqual(['password_changed']);
    expect(await recipients()).toEqual(['ann@before.example', 'thief@evil.example']);
    await sql`update former_address set replaced_at = now() - interval '31 days'`.execute(db);
    await forgetNotices(db);
    await notify();
    await sent();
    expect(await recipients()).toEqual([
      'ann@before.example',
      'thief@evil.example',
      'thief@evil.example',
    ]);
  });

  test('parked accounts are reported to operators once a day for each source', async () => {
    const { db } = database;
    await saveIdentity(
      db,
      { name: 'ann', attributes: {} },
      [],
      'operator',
      'test',
      () => exactRules,
    );
    await sql`insert into change (id, identity_id, identity_name, seq, groups, requested_by, requested_by_name,
                                  configuration_version, expires_at)
              select 'chg_' || seq, id, name, seq, '{all}', 'k', 'k', 0, now() + interval '1 day'
              from identity, generate_series(1, 2) seq`.execute(db);
    await sql`insert into outcome (change_id, label, position, source, role, state)
              select c.id, source, 0, source, 'member', 'waiting' from change c, unnest(array['crm', 'hr']) source`.execute(
      db,
    );
    const { identityId } = await db
      .selectFrom('change')
      .select('identity_id as identityId')
      .executeTakeFirstOrThrow();
    const parked = { state: 'parked', reason: 'unknown', vendorCode: null, proof: 'none' } as const;
    for (const seq of [1, 2])
      await settleAccounts(
        db,
        { id: `chg_${seq}`, seq, identityId },
        ['crm', 'hr'].map((label) => ({ ...parked, label, inDoubt: false, nextTryInMs: null })),
      );
    expect(await sent()).toEqual(['change_parked', 'change_parked']);
  });

  test('a person without a valid mail address gets no notice, and the notice shows why', async () => {
    const { db } = database;
    await saveIdentity(
      db,
      { name: 'eve', attributes: { mail: 'eve@example.com\r\nBcc: all@example.com' } },
      [],
      'operator',
      'test',
      () => exactRules,
    );
    await sql`insert into notice (kind, identity_id) select 'password_changed', id from identity`.execute(
      db,
    );
    await sent();
    expect(await recipients()).toEqual(['no_address']);
  });
});
