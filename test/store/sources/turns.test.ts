import { sql } from 'kysely';
import { exactRules } from '../../../model/people/naming';
import { findIdentity, saveIdentity } from '../../../store/people/identities';
import { pauseSource, reopenSource } from '../../../store/sources/state';
import { storePlan } from '../../../store/worker/store-plan';
import {
  returnTurns,
  sourcesWithLines,
  takeTurns,
  waitInLine,
  wakeNextInLine,
} from '../../../store/worker/turns';
import { type TestDatabase, testDatabase } from '../../support/database';
import { describeWith } from '../../support/servers';

/** Which accounts of a source with limits may be written, and in which order the others are woken. */
describeWith(['postgres'], 'the turns of a source with limits', () => {
  let database: TestDatabase;
  const apps = { source: 'apps', role: 'member' } as const;
  const atOnce = (count: number) => ({ perWindow: null, windowMs: 0, atOnce: count });
  const perMinute = (count: number) => ({ perWindow: count, windowMs: 60_000, atOnce: null });

  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.close());

  /** One change for each of `count` people, the oldest first, with this many accounts in apps. */
  async function changes(count: number, accounts = 1): Promise<string[]> {
    const { db } = database;
    const ids: string[] = [];
    for (let index = 0; index < count; index++) {
      const name = `person-${index}`;
      const links = Array.from({ length: accounts }, (_, account) => ({
        source: 'apps',
        name: `${name}-${account}`,
        nativeId: null,
        primary: account === 0,
      }));
      await saveIdentity(db, { name, attributes: {} }, links, 'operator', 'test', () => exactRules);
      const identity = await findIdentity(db, { name });
      const id = `chg_${index}`;
      await sql`
        insert into change (id, identity_id, identity_name, seq, groups, requested_by, requested_by_name,
                            configuration_version, created_at, expires_at)
        values (${id}, ${identity?.id ?? ''}, ${name}, 1, '{all}', 'k', 'k', 0,
                now() + make_interval(secs => ${index}::int - 100), now() + interval '1 day')`.execute(
        db,
      );
      const plan = (identity?.accounts ?? []).map(({ id: accountId }, position) => ({
        label: position === 0 ? 'apps' : `apps:${position + 1}`,
        source: 'apps',
        accountName: name,
        accountId,
        leftOut: null,
        role: 'member' as const,
      }));
      await storePlan(db, id, plan);
      ids.push(id);
    }
    return ids;
  }
  const take = (id: string, limits: ReturnType<typeof atOnce> | ReturnType<typeof perMinute>) =>
    takeTurns(database.db, id, apps, limits, []);
  const line = (id: string) => waitInLine(database.db, id, apps, [], 0);
  const commanded = async () => {
    const { rows } = await database.pool.query('delete from command returning change_id, kind, id');
    return rows
      .sort((one, other) => one.id - other.id)
      .map(({ change_id, kind }) => `${change_id} ${kind}`);
  };

  test('of workers that ask at the same time, only as many get one as the limit allows', async () => {
    const ids = await changes(12);
    const taken = await Promise.all(ids.map((id) => take(id, atOnce(3))));
    expect(taken.filter(({ labels }) => labels.length === 1)).toHaveLength(3);
    expect(taken.filter(({ isFull }) => isFull)).toHaveLength(9);
    const [first] = taken.filter(({ labels }) => labels.length === 1);
    if (first !== undefined) await returnTurns(database.db, first);
    const again = await Promise.all(ids.map((id) => take(id, atOnce(3))));
    expect(again.filter(({ labels }) => labels.length === 1)).toHaveLength(1);
  });

  test('a turn counts for the rate after it was returned, until its window is over', async () => {
    const [one = '', two = ''] = await changes(2);
    await returnTurns(database.db, await take(one, perMinute(1)));
    expect(await take(two, perMinute(1))).toEqual({ id: null, labels: [], isFull: true });
    await database.pool.query("update source_turn set taken_at = now() - interval '61 seconds'");
    expect((await take(two, perMinute(1))).labels).toEqual(['apps']);
    const { rows } = await database.pool.query('select count(*)::int as kept from source_turn');
    expect(rows).toEqual([{ kept: 1 }]);
  });

  test('a worker that ends in the middle of a step keeps its turns only for the time of their lease', async () => {
    const [one = '', two = ''] = await changes(2);
    await take(one, atOnce(1));
    expect((await take(two, atOnce(1))).labels).toEqual([]);
    await database.pool.query("update source_turn set until = now() - interval '1 second'");
    expect((await take(two, atOnce(1))).labels).toEqual(['apps']);
  });

  test('some accounts of one person get a turn each, and the others wait without an attempt', async () => {
    const [id = ''] = await changes(1, 5);
    const turns = await take(id, atOnce(2));
    expect(turns).toMatchObject({ labels: ['apps', 'apps:2'], isFull: true });
    await waitInLine(database.db, id, apps, turns.labels, 0);
    const outcomes = await database.db
      .selectFrom('outcome')
      .selectAll()
      .orderBy('position')
      .execute();
    expect(outcomes.map(({ state, reason, attempts }) => [state, reason, attempts])).toEqual([
      ['pending', null, 0],
      ['pending', null, 0],
      ['waiting', 'source_at_limit', 0],
      ['waiting', 'source_at_limit', 0],
      ['waiting', 'source_at_limit', 0],
    ]);
    const { rows } = await database.pool.query(
      "select subject from audit where action = 'account.waiting' order by id",
    );
    expect(rows.map(({ subject }) => subject)).toEqual(['apps:3', 'apps:4', 'apps:5']);
  });

  test('an account that arrives later does not overtake those that wait in line', async () => {
    const [one = '', two = '', three = ''] = await changes(3);
    const turns = await take(one, atOnce(1));
    await line(two);
    await returnTurns(database.db, turns);
    expect(await take(three, atOnce(1))).toMatchObject({ labels: [], isFull: true });
    expect((await take(two, atOnce(1))).labels).toEqual(['apps']);
  });

  test('the accounts in line are woken in the order of their changes, as many as there are free turns', async () => {
    const ids = await changes(4);
    for (const id of [...ids].reverse()) await line(id);
    expect(await sourcesWithLines(database.db)).toEqual(['apps']);
    await wakeNextInLine(database.db, 'apps', atOnce(2));
    expect(await commanded()).toEqual(['chg_0 retry', 'chg_1 retry']);
    // Those two were woken and did not take their turns yet.
    await wakeNextInLine(database.db, 'apps', atOnce(2));
    expect(await commanded()).toEqual([]);
    await take('chg_0', atOnce(2));
    await wakeNextInLine(database.db, 'apps', null);
    expect(await commanded()).toEqual(['chg_2 retry', 'chg_3 retry']);
  });

  test('no account in line is woken while its source is down or paused', async () => {
    const [one = ''] = await changes(1);
    await line(one);
    await pauseSource(database.db, 'apps', 'source_paused', 'test');
    await wakeNextInLine(database.db, 'apps', atOnce(1));
    expect(await commanded()).toEqual([]);
    await reopenSource(database.db, 'apps', 'paused', 'test');
    await wakeNextInLine(database.db, 'apps', atOnce(1));
    expect(await commanded()).toEqual(['chg_0 retry']);
  });
});
