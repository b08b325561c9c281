import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { sql } from 'kysely';
import { type LoadedChange, loadChange } from '../../../activities/shared/load-change';
import { freePort } from '../../../local/ports';
import { type LocalPostgres, startPostgres } from '../../../local/postgres';
import { watchConfiguration } from '../../../store/configuration/watch';
import { findIdentity } from '../../../store/people/identities';
import { claimAccounts } from '../../../store/worker/claims';
import { type Settlement, settleAccounts } from '../../../store/worker/outcomes';
import { claimUnattended } from '../../../store/worker/unattended';
import { verifyAll } from '../../support/audit-chain';
import { type TestDatabase, testDatabase } from '../../support/database';
import { newKeyDirectory } from '../../support/keys';
import { addPerson, appliedTo, ended, planned } from '../../support/played-worker';
import { describeWith } from '../../support/servers';
import { until } from '../../support/until';

/**
 * PostgreSQL loses its power: it ends without writing anything, and starts again with what had reached the disk. A commit
 * that does not wait for the disk stays unwritten here until another one waits (decision 0021).
 */
describeWith(['postgres'], 'a power cut of the database', () => {
  let postgres: LocalPostgres;
  let database: TestDatabase;
  const options = {
    report: () => undefined,
    dir: '',
    port: 0,
    settings: { wal_writer_delay: '10s', wal_writer_flush_after: '1GB', autovacuum: 'off' },
  };
  const auth = { source: 'directory', role: 'auth' } as const;
  const member = { source: 'warehouse', role: 'member' } as const;

  beforeAll(async () => {
    options.dir = mkdtempSync(path.join('/var/tmp', 'lockstep-power-'));
    chmodSync(options.dir, 0o755);
    options.port = await freePort();
    postgres = await startPostgres(options);
  });
  afterAll(async () => {
    await database.close();
    await postgres.stop();
    rmSync(options.dir, { recursive: true });
  });
  beforeEach(async () => {
    database = await testDatabase(postgres.url);
    await addPerson(database.db, 'alice');
  });

  async function accepted() {
    const { db } = database;
    const { id: identityId = '' } = (await findIdentity(db, { name: 'alice' })) ?? {};
    await sql`insert into change (id, identity_id, identity_name, seq, groups, requested_by, requested_by_name,
                                  configuration_version, expires_at)
              values ('chg_1', ${identityId}, 'alice', 1, '{all}', 'k', 'k', 0, now() + interval '1 day')`.execute(
      db,
    );
    return { id: 'chg_1', seq: 1, identityId };
  }
  async function powerCut(): Promise<void> {
    process.kill(postgres.pid, 'SIGQUIT');
    await postgres.exited;
    postgres = await startPostgres(options);
    await until(async () => (await sql`select 1`.execute(database.db).catch(() => null)) !== null);
  }
  const records = async () => {
    const rows = await database.db
      .selectFrom('audit')
      .select('action')
      .where('change_id', 'is not', null)
      .orderBy('id')
      .execute();
    return rows.map(({ action }) => action);
  };
  const statusOf = (label = 'directory') =>
    database.db
      .selectFrom('outcome')
      .select(['state', 'attempts'])
      .where('label', '=', label)
      .executeTakeFirst();

  test('a lost lease and a lost plan are made again, and the plan is recorded once', async () => {
    const { db } = database;
    const change = await accepted();
    expect(await claimUnattended(db, 1)).toHaveLength(1);
    await planned(db, change.id, 'alice');
    await powerCut();
    expect(await statusOf()).toBeUndefined();
    // PostgreSQL may have written its log up to the lease by itself. Then the lease ends after 30 seconds.
    await sql`update change set attended_until = now() - interval '1 second' where attended_until is not null`.execute(
      db,
    );
    expect(await claimUnattended(db, 1)).toMatchObject([{ id: change.id, planned: false }]);
    await planned(db, change.id, 'alice');
    expect(await records()).toEqual(['change.planned']);
  });

  test('a claim makes the plan before it durable, so that a written account is never forgotten', async () => {
    const change = await accepted();
    await planned(database.db, change.id, 'alice');
    await claimAccounts(database.db, change, auth);
    await powerCut();
    expect(await statusOf()).toEqual({ state: 'applying', attempts: 1 });
  });

  test('the verdict of the auth account is durable at once, because it decides about all others', async () => {
    const { db } = database;
    const change = await accepted();
    await planned(db, change.id, 'alice');
    const [claim] = await claimAccounts(db, change, auth);
    if (claim === undefined) throw new Error('nothing was claimed');
    await settleAccounts(db, change, [{ ...appliedTo('directory'), claim }]);
    await powerCut();
    expect(await statusOf()).toEqual({ state: 'applied', attempts: 1 });
  });

  test('the attempt after a lost settlement is in doubt, and its settlement is recorded once (I10, I11)', async () => {
    const { db } = database;
    const change = await accepted();
    await planned(db, change.id, 'alice');
    const settle = async () => {
      const [claim] = await claimAccounts(db, change, member);
      if (claim === undefined) throw new Error('nothing was claimed');
      await settleAccounts(db, change, [{ ...appliedTo('warehouse'), claim }]);
      return claim;
    };
    expect(await settle()).toMatchObject({ attempts: 1, inDoubt: false });
    await powerCut();
    expect(await statusOf('warehouse')).toEqual({ state: 'applying', attempts: 1 });
    expect(await settle()).toMatchObject({ verdict: 'claimed', attempts: 2, inDoubt: true });
    await ended(db, change.id, { state: 'done', reason: null });
    await powerCut();
    expect(await records()).toEqual(['change.planned', 'account.applied', 'change.done']);
    expect(await verifyAll(db)).toMatchObject({ intact: true });
  });

  test('the settlement of a bound worker is durable at once, because no other worker can verify its account again', async () => {
    const { db } = database;
    await accepted();
    await planned(db, 'chg_1', 'alice');
    const { keys } = await newKeyDirectory();
    const loaded = (boundTo?: readonly string[]) =>
      loadChange(
        {
          ...{ db, keys, configuration: watchConfiguration(db) },
          ...(boundTo && { boundTo }),
        },
        'chg_1',
      );
    const settle = async ({ change }: LoadedChange) => {
      const [claim] = await claimAccounts(db, change, member);
      if (claim === undefined) throw new Error('nothing was claimed');
      await settleAccounts(db, change, [{ ...appliedTo('warehouse'), claim }]);
      await powerCut();
      return statusOf('warehouse');
    };
    expect(await settle(await loaded())).toEqual({ state: 'applying', attempts: 1 });
    expect(await settle(await loaded(['warehouse']))).toEqual({ state: 'applied', attempts: 2 });
  });

  test.each<[string, Partial<Settlement>]>([
    [
      'a wrong current password',
      { state: 'rejected', reason: 'wrong_current_password', proof: 'none' },
    ],
    ['a write without proof', { proof: 'none' }],
  ])(
    'the settlement of %s is durable at once, because another attempt would do harm',
    async (_, outcome) => {
      const { db } = database;
      const change = await accepted();
      await planned(db, change.id, 'alice');
      const [claim] = await claimAccounts(db, change, auth);
      if (claim === undefined) throw new Error('nothing was claimed');
      await settleAccounts(db, change, [{ ...appliedTo('directory'), ...outcome, claim }]);
      await powerCut();
      expect(await statusOf()).toEqual({ state: outcome.state ?? 'applied', attempts: 1 });
    },
  );
});
