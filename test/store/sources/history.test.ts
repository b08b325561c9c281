import { sql } from 'kysely';
import { readHistory } from '../../../store/sources/history';
import { forgetHistory, recordHistory } from '../../../store/sources/record-history';
import { type TestDatabase, testDatabase } from '../../support/database';
import { describeWith } from '../../support/servers';

/** The history of a source, which a worker derives from the chained audit. */
describeWith(['postgres'], 'the history of a source', () => {
  let database: TestDatabase;
  let position: number;

  beforeEach(async () => {
    database = await testDatabase();
    position = 0;
    await sql`insert into identity (id, name, attributes) values ('idn_1', 'alice', '{}')`.execute(
      database.db,
    );
  });
  afterEach(() => database.close());

  /** Makes changes with one account in crm each. */
  const changes = (count: number) =>
    database.pool.query(
      `with made as (
         insert into change (id, identity_id, identity_name, seq, groups, requested_by, requested_by_name,
                             configuration_version, expires_at)
         select 'chg_' || n, 'idn_1', 'alice', n, '{all}', 'k', 'k', 0, now() + interval '1 day'
         from generate_series(1, $1::int) n returning id)
       insert into outcome (change_id, label, position, source, role, state)
       select id, 'crm', 0, 'crm', 'member', 'pending' from made`,
      [count],
    );

  interface Written {
    readonly action: string;
    readonly minutesAgo: number;
    /** Of the change; none for a record of the source. */
    readonly change?: number;
    readonly reason?: string;
  }

  /** Writes audit records as they are once they are chained. */
  async function chained(...records: readonly Written[]): Promise<void> {
    for (const { action, minutesAgo, change, reason } of records) {
      position += 1;
      await database.pool.query(
        `insert into audit (at, actor, action, change_id, subject, detail, position, key_id)
         values (now() - make_interval(secs => $1), 'worker', $2, $3, 'crm', jsonb_build_object('reason', $4::text), $5, 'k')`,
        [
          minutesAgo * 60,
          action,
          change === undefined ? null : `chg_${change}`,
          reason ?? null,
          position,
        ],
      );
    }
  }

  async function history() {
    while (await recordHistory(database.db));
    const { histories } = await readHistory(database.db, ['crm', 'apps'], 30);
    expect(histories.get('apps')?.outages).toEqual([]);
    const { slots = [], outages = [] } = histories.get('crm') ?? {};
    const sum = (key: 'applied' | 'refused') => slots.reduce((all, slot) => all + slot[key], 0);
    return {
      applied: sum('applied'),
      refused: sum('refused'),
      waitingNow: slots.at(-1)?.waiting ?? 0,
      most: Math.max(...slots.map(({ waiting }) => waiting)),
      outages: outages.map(({ since, until, settledAt, ...outage }) => ({
        ...outage,
        minutes: until === null ? null : Math.round((until.getTime() - since.getTime()) / 60_000),
        isSettled: settledAt !== null,
      })),
    };
  }

  const outage = { condition: 'down', reason: 'unreachable' } as const;

  test('an outage shows how long it lasted, how many accounts waited, and what became of them', async () => {
    await changes(4);
    await chained(
      { action: 'source.down', minutesAgo: 300, reason: 'unreachable' },
      { action: 'account.waiting', minutesAgo: 299, change: 1, reason: 'unreachable' },
      { action: 'account.waiting', minutesAgo: 298, change: 2, reason: 'unreachable' },
      { action: 'account.waiting', minutesAgo: 297, change: 3, reason: 'account_locked' },
      { action: 'account.waiting', minutesAgo: 296, change: 4, reason: 'unreachable' },
    );
    expect((await history()).outages).toEqual([
      { ...outage, minutes: null, waited: 3, applied: 0, unsettled: 3, isSettled: false },
    ]);
    await chained(
      { action: 'source.up', minutesAgo: 285 },
      { action: 'account.applied', minutesAgo: 284, change: 1 },
      { action: 'account.rejected', minutesAgo: 284, change: 2, reason: 'policy_too_short' },
      { action: 'account.applied', minutesAgo: 283, change: 4 },
      { action: 'account.applied', minutesAgo: 1, change: 3 },
    );
    expect(await history()).toEqual({
      ...{ applied: 3, refused: 1, waitingNow: expect.any(Number), most: 4 },
      outages: [{ ...outage, minutes: 15, waited: 3, applied: 2, unsettled: 0, isSettled: true }],
    });
  });

  test('an outage that lasts shows that nothing waits any more', async () => {
    await changes(1);
    await chained(
      { action: 'source.down', minutesAgo: 300, reason: 'unreachable' },
      { action: 'account.waiting', minutesAgo: 299, change: 1, reason: 'unreachable' },
      { action: 'account.cancelled', minutesAgo: 298, change: 1 },
    );
    expect((await history()).outages).toEqual([
      { ...outage, minutes: null, waited: 1, applied: 0, unsettled: 0, isSettled: true },
    ]);
  });

  test('a pause in place of an outage ends it, and the same pause again does not end itself', async () => {
    await chained(
      { action: 'source.down', minutesAgo: 60, reason: 'unreachable' },
      { action: 'source.paused', minutesAgo: 50, reason: 'source_paused' },
      { action: 'source.paused', minutesAgo: 40, reason: 'source_paused' },
      { action: 'source.resumed', minutesAgo: 30 },
    );
    const none = { waited: 0, applied: 0, unsettled: 0, isSettled: false };
    expect((await history()).outages).toEqual([
      { condition: 'paused', reason: 'source_paused', minutes: 20, ...none },
      { ...outage, minutes: 10, ...none },
    ]);
  });

  test('records are counted once, also when two workers record the history at the same time', async () => {
    await changes(1500);
    await database.pool.query(
      `insert into audit (actor, action, change_id, subject, detail, position, key_id)
       select 'worker', 'account.applied', 'chg_' || n, 'crm', '{}', n, 'k' from generate_series(1, 1500) n`,
    );
    const { db } = database;
    await Promise.all([recordHistory(db), recordHistory(db), recordHistory(db)]);
    expect((await history()).applied).toBe(1500);
    expect((await history()).applied).toBe(1500);
  });

  test('what is older than a history shows is removed, and an outage that lasts is kept', async () => {
    await changes(2);
    await chained(
      { action: 'source.down', minutesAgo: 2000, reason: 'unreachable' },
      { action: 'account.waiting', minutesAgo: 1990, change: 1, reason: 'unreachable' },
      { action: 'source.up', minutesAgo: 1980 },
      { action: 'account.applied', minutesAgo: 1970, change: 1 },
      { action: 'source.down', minutesAgo: 1960, reason: 'unreachable' },
      { action: 'account.waiting', minutesAgo: 1950, change: 2, reason: 'unreachable' },
    );
    await history();
    await forgetHistory(database.db);
    const { outages, applied, waitingNow, most } = await history();
    expect([outages.length, applied, waitingNow, most]).toEqual([1, 0, 1, 1]);
    const { rows } = await database.pool.query<{ count: number }>(
      'select count(*)::int as count from history_wait union all select count(*)::int from history_slot',
    );
    expect(rows.map(({ count }) => count)).toEqual([1, 0]);
  });

  test('the account of a change that was deleted waits no more', async () => {
    await changes(1);
    await chained({ action: 'account.waiting', minutesAgo: 5, change: 1, reason: 'unreachable' });
    expect((await history()).waitingNow).toBe(1);
    await database.pool.query('delete from change');
    await chained({ action: 'account.applied', minutesAgo: 4, change: 1 });
    const { waitingNow, most, applied } = await history();
    expect([waitingNow, most, applied]).toEqual([0, 0, 0]);
  });
});
