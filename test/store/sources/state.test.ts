import { sql } from 'kysely';
import { accountRulesOf } from '../../../connectors/registry';
import { exactRules } from '../../../model/people/naming';
import { endWait, giveCommand } from '../../../store/changes/commands';
import { applyConfiguration } from '../../../store/configuration/versions';
import { findIdentity, saveIdentity } from '../../../store/people/identities';
import { giveSourceCommand, handOutCommands, sendProbes } from '../../../store/sources/commands';
import {
  openCircuit,
  pauseSource,
  prolongCircuit,
  readSourceStates,
  reopenSource,
  returnProbe,
} from '../../../store/sources/state';
import { readWaiting } from '../../../store/sources/waiting';
import { claimAccounts, holdAccounts, readUnfound } from '../../../store/worker/claims';
import { settleAccounts } from '../../../store/worker/outcomes';
import { storePlan } from '../../../store/worker/store-plan';
import { type TestDatabase, testDatabase } from '../../support/database';
import { describeWith } from '../../support/servers';

/** Which account may ask a source that is down or paused, and how the waiting accounts are woken. */
describeWith(['postgres'], 'the state of a source', () => {
  let database: TestDatabase;
  const apps = { source: 'apps', role: 'member' } as const;
  const PAST = -1;
  const LATER = 60_000;

  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.close());

  /** Makes one change for each of `count` people, each with one account in apps. */
  async function changes(count: number, seq = 1) {
    const { db } = database;
    return Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const name = `person-${index}`;
        const link = { source: 'apps', name, nativeId: null, primary: true };
        await saveIdentity(
          db,
          { name, attributes: {} },
          [link],
          'operator',
          'test',
          () => exactRules,
        );
        const identity = await findIdentity(db, { name });
        const identityId = identity?.id ?? '';
        const id = `chg_${String(index).padStart(3, '0')}`;
        await sql`insert into change (id, identity_id, identity_name, seq, groups, requested_by, requested_by_name,
                                      configuration_version, created_at, expires_at)
                  values (${id}, ${identityId}, ${name}, ${seq}, '{all}', 'k', 'k', 0,
                          now() + make_interval(secs => ${index}::int - 100), now() + interval '1 day')`.execute(
          db,
        );
        const account = {
          label: 'apps',
          source: 'apps',
          accountName: name,
          leftOut: null,
        } as const;
        const accountId = identity?.accounts[0]?.id ?? null;
        await storePlan(db, id, [{ ...account, accountId, role: 'member' }]);
        return { id, seq, identityId };
      }),
    );
  }
  type Change = Awaited<ReturnType<typeof changes>>[number];
  const claim = async (change: Change) => (await claimAccounts(database.db, change, apps))[0];
  const hold = (change: Change) => holdAccounts(database.db, change.id, apps, [], 0);
  const probes = (claimed: Awaited<ReturnType<typeof claim>>[]) =>
    claimed.filter((claimed) => claimed?.probe !== null).length;
  const stateOf = async () => (await readSourceStates(database.db)).get('apps')?.state ?? 'up';
  const outcomes = () =>
    database.db.selectFrom('outcome').selectAll().orderBy('change_id').execute();
  const commands = async () => {
    const rows = await database.db
      .selectFrom('command')
      .select(['change_id', 'kind', 'label'])
      .orderBy('id')
      .execute();
    return rows.map(({ change_id, kind, label }) => `${kind} ${change_id} ${label}`);
  };
  const audited = async () => {
    const rows = await database.db
      .selectFrom('audit')
      .select(['actor', 'action'])
      .where('subject', '=', 'apps')
      .where('action', 'like', 'source.%')
      .orderBy('id')
      .execute();
    return rows.map(({ actor, action }) => `${actor} ${action}`);
  };
  /** Makes the next hand-out due, as if a second had passed. */
  const nextSecond = () =>
    database.db
      .updateTable('source_command')
      .set({ next_at: new Date(0) })
      .execute();

  test('accounts of a source that is up are claimed without a probe', async () => {
    const [change] = await changes(1);
    expect(change && (await claim(change))).toMatchObject({
      verdict: 'claimed',
      held: false,
      probe: null,
    });
  });

  test('no account asks a source that is down before its probe is due, and no attempt is counted', async () => {
    const all = await changes(3);
    await openCircuit(database.db, 'apps', 'unreachable', LATER);
    const claimed = await Promise.all(all.map(claim));
    expect(claimed.every((claimed) => claimed?.held === true && claimed.probe === null)).toBe(true);
    for (const change of all) expect(await hold(change)).toBe(true);
    for (const outcome of await outcomes())
      expect(outcome).toMatchObject({ state: 'waiting', attempts: 0, reason: 'unreachable' });
  });

  test('exactly one account claims each due probe', async () => {
    const all = await changes(12);
    await openCircuit(database.db, 'apps', 'unreachable', PAST);
    for (const failures of [1, 2, 3]) {
      const claimed = await Promise.all(all.map(claim));
      expect(probes(claimed)).toBe(1);
      expect(claimed.filter((claimed) => claimed?.held)).toHaveLength(11);
      expect(claimed.find((claimed) => claimed?.probe !== null)?.probe).toBe(failures);
      await prolongCircuit(database.db, 'apps', null, failures + 1, PAST);
    }
  });

  test('a probe that was returned, or whose lease has ended, is claimed by another account', async () => {
    const all = await changes(3);
    await openCircuit(database.db, 'apps', 'unreachable', PAST);
    expect(probes(await Promise.all(all.map(claim)))).toBe(1);
    expect(probes(await Promise.all(all.map(claim)))).toBe(0);
    await returnProbe(database.db, 'apps');
    expect(probes(await Promise.all(all.map(claim)))).toBe(1);
    await sql`update source_state set probing_until = now() - interval '1 second'`.execute(
      database.db,
    );
    expect(probes(await Promise.all(all.map(claim)))).toBe(1);
  });

  test('a change with nothing to ask for claims no probe', async () => {
    const [first, second] = await changes(2);
    await openCircuit(database.db, 'apps', 'unreachable', PAST);
    const none = await claimAccounts(database.db, first as Change, apps, 0);
    expect(none).toEqual([]);
    expect(await readUnfound(database.db, (first as Change).id, apps, [])).toEqual([]);
    expect((await claim(second as Change))?.probe).toBe(1);
  });

  test('a lookup by correlation is held, and claims the probe, like a write', async () => {
    const all = await changes(5);
    await database.db.updateTable('outcome').set({ account_id: null }).execute();
    await openCircuit(database.db, 'apps', 'busy', PAST);
    const unfound = await Promise.all(all.map(({ id }) => readUnfound(database.db, id, apps, [])));
    expect(unfound.flat().filter(({ probe }) => probe !== null)).toHaveLength(1);
    expect(unfound.flat().filter(({ held }) => held)).toHaveLength(4);
  });

  test('a failure that is reported again changes nothing, and only a failed probe prolongs an outage', async () => {
    const { db } = database;
    const opened = await Promise.all(
      [1, 2, 3].map(() => openCircuit(db, 'apps', 'unreachable', LATER)),
    );
    expect(opened.filter(Boolean)).toHaveLength(1);
    await prolongCircuit(db, 'apps', null, 2, LATER);
    expect((await readSourceStates(db)).get('apps')).toMatchObject({
      reason: 'unreachable',
      failures: 2,
    });
    expect(await audited()).toEqual(['worker source.down']);
  });

  test("an operator's pause ends only when an operator resumes the source", async () => {
    const { db } = database;
    const [change] = await changes(1);
    await openCircuit(db, 'apps', 'busy', PAST);
    expect(await pauseSource(db, 'apps', 'service_credential_refused', 'worker')).toBe(true);
    expect(await pauseSource(db, 'apps', 'service_credential_refused', 'worker')).toBe(false);
    expect((await claim(change as Change))?.held).toBe(true);
    expect(await pauseSource(db, 'apps', 'source_paused', 'api-key:1')).toBe(true);
    expect(await pauseSource(db, 'apps', 'service_credential_refused', 'worker')).toBe(false);
    for (const ended of ['down', 'by_worker'] as const)
      expect(await reopenSource(db, 'apps', ended, 'worker')).toBe(false);
    expect(await reopenSource(db, 'apps', 'paused', 'api-key:1')).toBe(true);
    expect(await stateOf()).toBe('up');
    expect(await audited()).toEqual([
      'worker source.down',
      'worker source.paused',
      'api-key:1 source.paused',
      'api-key:1 source.resumed',
    ]);
  });

  test("new settings of a source end a pause by the worker, and never an operator's pause", async () => {
    const { db } = database;
    const source = (port: number) => ({ kind: 'ldap', settings: { port } }) as never;
    const document = (port: number) =>
      ({
        version: 1,
        sources: { apps: source(port) },
        policies: {},
        groups: {},
        applications: {},
      }) as never;
    await applyConfiguration(db, document(1), 0, 'test', accountRulesOf);
    await pauseSource(db, 'apps', 'service_credential_refused', 'worker');
    await applyConfiguration(db, document(1), 1, 'test', accountRulesOf);
    expect(await stateOf()).toBe('paused');
    await applyConfiguration(db, document(2), 2, 'test', accountRulesOf);
    expect(await stateOf()).toBe('up');
    await pauseSource(db, 'apps', 'source_paused', 'api-key:1');
    await applyConfiguration(db, document(3), 3, 'test', accountRulesOf);
    expect(await stateOf()).toBe('paused');
  });

  test('an account is not put to wait when its source is up again', async () => {
    const [change] = await changes(1);
    expect(await hold(change as Change)).toBe(false);
    expect((await outcomes())[0]?.state).toBe('pending');
  });

  describe('waiting accounts', () => {
    async function waiting(count: number) {
      const all = await changes(count);
      await openCircuit(database.db, 'apps', 'unreachable', LATER);
      for (const change of all) await hold(change);
      return all;
    }
    const give = (
      kind: 'retry' | 'park' | 'cancel',
      perSecond: number,
      reason: string | null = null,
    ) =>
      giveSourceCommand(database.db, { source: 'apps', kind, perSecond, reason, by: 'api-key:1' });

    test('waiting accounts are woken once their source is up, oldest change first, 20 a second and then more', async () => {
      const all = await waiting(70);
      await reopenSource(database.db, 'apps', 'down', 'worker');
      const ids = all.map(({ id }) => `retry ${id} apps`);
      while (await handOutCommands(database.db));
      expect(await commands()).toEqual(ids.slice(0, 20));
      expect(await handOutCommands(database.db)).toBe(false);
      await nextSecond();
      while (await handOutCommands(database.db));
      expect(await commands()).toEqual(ids.slice(0, 60));
      await nextSecond();
      while (await handOutCommands(database.db));
      expect(await commands()).toEqual(ids);
      await nextSecond();
      expect(await handOutCommands(database.db)).toBe(false);
    });

    test('no further accounts are woken while those before them are not tried', async () => {
      const all = await waiting(70);
      await reopenSource(database.db, 'apps', 'down', 'worker');
      const handOut = async () => {
        await nextSecond();
        while (await handOutCommands(database.db));
        const { length } = await commands();
        for (const { id } of all.slice(0, length)) await endWait(database.db, id, ['apps']);
        return length;
      };
      expect([await handOut(), await handOut(), await handOut(), await handOut()]).toEqual([
        20, 40, 40, 40,
      ]);
      await sql`update outcome set state = 'applied' where next_try_at <= now()`.execute(
        database.db,
      );
      expect(await handOut()).toBe(70);
    });

    test('an account that is put to wait at the moment when its source comes back is still woken', async () => {
      const [change] = await changes(1);
      const { db } = database;
      await openCircuit(db, 'apps', 'unreachable', LATER);
      let reopened: Promise<boolean> | undefined;
      await db.transaction().execute(async (trx) => {
        await holdAccounts(trx, (change as Change).id, apps, [], 0);
        reopened = reopenSource(db, 'apps', 'down', 'worker');
        const settled = await Promise.race([reopened, sql`select pg_sleep(0.5)`.execute(db)]);
        // Reopening waits for this transaction; otherwise it would not wake the account.
        expect(settled).not.toBe(true);
        await handOutCommands(db);
      });
      expect(await reopened).toBe(true);
      await handOutCommands(db);
      expect(await commands()).toEqual(['retry chg_000 apps']);
    });

    test('workers that hand out commands at the same time keep to the rate of one worker', async () => {
      await waiting(30);
      await reopenSource(database.db, 'apps', 'down', 'worker');
      await Promise.all([1, 2, 3, 4].map(() => handOutCommands(database.db)));
      expect(await commands()).toHaveLength(20);
    });

    test('accounts that were not woken yet go on waiting when their source is paused again', async () => {
      await waiting(30);
      await reopenSource(database.db, 'apps', 'down', 'worker');
      await handOutCommands(database.db);
      await pauseSource(database.db, 'apps', 'service_credential_refused', 'worker');
      await nextSecond();
      expect(await handOutCommands(database.db)).toBe(false);
    });

    test('a command with a reason reaches only the accounts that wait or are parked for it', async () => {
      const [held, locked, parked] = await waiting(3);
      const settle = (change: Change | undefined, state: 'waiting' | 'parked') =>
        settleAccounts(database.db, change as Change, [
          {
            ...{ label: 'apps', accountId: null, vendorCode: null, proof: 'none', inDoubt: false },
            ...{ state, reason: 'account_locked', nextTryInMs: LATER },
          },
        ]);
      await settle(locked, 'waiting');
      await settle(parked, 'parked');
      expect(
        (await readWaiting(database.db, 'apps')).map(({ oldestAt, nextTryAt, ...group }) => group),
      ).toEqual([
        { state: 'parked', reason: 'account_locked', accounts: 1 },
        { state: 'waiting', reason: 'account_locked', accounts: 1 },
        { state: 'waiting', reason: 'unreachable', accounts: 1 },
      ]);
      expect(await give('cancel', 10, 'account_locked')).toBe(2);
      await nextSecond();
      while (await handOutCommands(database.db));
      expect(await commands()).toEqual([`cancel ${locked?.id} apps`, `cancel ${parked?.id} apps`]);
      expect(held).toBeDefined();
    });

    test('accounts that wait for another reason or are parked are not woken with their source', async () => {
      const [first, second] = await waiting(2);
      const settle = (change: Change | undefined, state: 'waiting' | 'parked') =>
        settleAccounts(database.db, change as Change, [
          {
            ...{ label: 'apps', accountId: null, vendorCode: null, proof: 'none', inDoubt: false },
            state,
            reason: state === 'parked' ? 'unknown' : 'account_locked',
            nextTryInMs: LATER,
          },
        ]);
      await settle(first, 'waiting');
      await settle(second, 'parked');
      await reopenSource(database.db, 'apps', 'down', 'worker');
      await handOutCommands(database.db);
      expect(await commands()).toEqual([]);
      expect(await give('retry', 10)).toBe(2);
      await nextSecond();
      await handOutCommands(database.db);
      expect(await commands()).toHaveLength(2);
    });

    test('a command of an operator reaches waiting accounts at its rate, each with an audit record of its change', async () => {
      await waiting(5);
      expect(await give('park', 2)).toBe(5);
      await handOutCommands(database.db);
      expect(await commands()).toEqual(['park chg_000 apps', 'park chg_001 apps']);
      const records = await database.db
        .selectFrom('audit')
        .select(['actor', 'action', 'change_id'])
        .where('action', 'like', 'command.%')
        .orderBy('id')
        .execute();
      expect(records).toEqual(
        ['chg_000', 'chg_001'].map((id) => ({
          actor: 'api-key:1',
          action: 'command.park',
          change_id: id,
        })),
      );
      expect(await audited()).toContain('api-key:1 source.park');
    });

    test('a retry makes the probe of a source that is down due at once, for one account', async () => {
      const [first, second] = await waiting(2);
      const command = { changeId: (first as Change).id, kind: 'retry', label: 'apps' } as const;
      await giveCommand(database.db, { ...command, by: 'test' });
      const claimed = await Promise.all([claim(first as Change), claim(second as Change)]);
      expect(probes(claimed)).toBe(1);
    });

    test('a waiting account is sent to make an overdue probe', async () => {
      await waiting(3);
      await sendProbes(database.db);
      expect(await commands()).toEqual([]);
      await sql`update source_state set next_probe_at = now() - interval '10 seconds'`.execute(
        database.db,
      );
      await sendProbes(database.db);
      expect(await commands()).toHaveLength(1);
    });

    test('an account that waits behind another change, and cannot claim its account, is sent to probe only if no other account waits', async () => {
      await waiting(4);
      const behind = (ids: readonly string[]) =>
        sql`update outcome set reason = 'account_in_use' where change_id = any(${[...ids]}::text[])`.execute(
          database.db,
        );
      await behind(['chg_000', 'chg_001', 'chg_003']);
      await sql`update source_state set next_probe_at = now() - interval '10 seconds'`.execute(
        database.db,
      );
      for (let count = 0; count < 4; count++) await sendProbes(database.db);
      await behind(['chg_002']);
      await sendProbes(database.db);
      const sent = await commands();
      expect(sent.slice(0, 4)).toEqual(new Array(4).fill('retry chg_002 apps'));
      expect(sent).toHaveLength(5);
    });
  });
});
