import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Connector, Finding } from '../../connectors/contract';
import { ssha } from '../../local/slapd';
import { Secret } from '../../model/passwords/secret';
import { giveSourceCommand } from '../../store/sources/commands';
import { pauseSource, readSourceStates, reopenSource } from '../../store/sources/state';
import { checkSource } from '../../worker/jobs/check-source';
import type { CompanyAccount } from '../support/company';
import { newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import { until } from '../support/until';
import { companyDocument, workerSuite } from '../support/worker-suite';

/** Sources that are down, or reject our service account, and many changes that need them. */
describeWith(['slapd', 'postgres', 'temporal'], 'a source in trouble', () => {
  const suite = workerSuite();
  const PATIENCE_MS = 180_000;

  const document = (more: Parameters<typeof companyDocument>[1] = {}) =>
    companyDocument(suite.company, more);

  beforeEach(() => suite.lockstep.configure(document()));
  afterEach(() => suite.company.refuseWrites(null));

  interface Started {
    readonly id: string;
    readonly word: string;
    readonly accounts: readonly CompanyAccount[];
  }
  /** Starts one change for each of this many people at the same time. */
  async function changesOf(people: number): Promise<Started[]> {
    const prepared: Awaited<ReturnType<typeof suite.addPerson>>[] = [];
    for (let count = 0; count < people; count++)
      prepared.push(await suite.addPerson('directory', 'apps', 'crm'));
    return Promise.all(
      prepared.map(async ({ person, accounts }) => {
        const word = newPassword();
        return { id: await suite.lockstep.accept({ person, password: word }), word, accounts };
      }),
    );
  }
  const appsOf = (id: string) =>
    suite.lockstep
      .read(id)
      .then(({ accounts }) => accounts.find(({ source }) => source === 'apps'));
  const allWait = (started: readonly Started[]) =>
    until(async () => {
      const accounts = await Promise.all(started.map(({ id }) => appsOf(id)));
      return accounts.every((account) => account?.state === 'waiting');
    });
  async function allDone(started: readonly Started[]): Promise<void> {
    for (const { id, word, accounts } of started) {
      expect((await suite.lockstep.readEnd(id)).state).toBe('done');
      for (const account of accounts) expect(await account.logsIn(word)).toBe(true);
    }
  }
  const apps = async () => (await readSourceStates(suite.lockstep.database.db)).get('apps');
  const failures = async () => {
    const state = await apps();
    return state?.state === 'down' ? state.failures : 0;
  };
  async function msToProbe(): Promise<number> {
    const state = await apps();
    return state?.state === 'down' ? state.nextProbeAt.getTime() - Date.now() : 0;
  }
  /** Makes the probe overdue, so that a waiting account is sent to make it. */
  const letProbeBeDue = () => probeIn('-5 seconds');
  const probeIn = (time: string) =>
    suite.lockstep.database.pool.query(
      'update source_state set next_probe_at = now() + $1::interval',
      [time],
    );

  test(
    'a source that is down gets one request for each due probe, and all waiting accounts follow at a limited rate once it is up',
    async () => {
      suite.company.proxies.apps.silence();
      suite.company.proxies.apps.cut();
      const [first] = await changesOf(1);
      await suite.lockstep.readUntil(first?.id ?? '', ({ state }) => state === 'waiting');
      await probeIn('1 hour');
      const before = suite.company.proxies.apps.accepted();
      const others = await changesOf(29);
      await allWait(others);
      for (const { id } of others)
        expect(await appsOf(id)).toMatchObject({ reason: 'unreachable', attempts: 0 });
      expect(suite.company.proxies.apps.accepted()).toBe(before);
      for (const probe of [1, 2, 3]) {
        await letProbeBeDue();
        await until(async () => (await failures()) === probe + 1);
        expect(suite.company.proxies.apps.accepted() - before).toBe(probe);
        // The first wait of 5 s is over, so the waits are 1, 3 and 10 minutes.
        const minutes = [1, 3, 10][probe - 1] ?? 0;
        expect(await msToProbe()).toBeGreaterThan((minutes - 0.5) * 60_000);
      }
      await suite.company.proxies.apps.pass();
      await letProbeBeDue();
      await allDone([...others, ...(first === undefined ? [] : [first])]);
      expect(await apps()).toBeUndefined();
      expect(await mostWokenWithinASecond()).toBeLessThanOrEqual(20);
    },
    PATIENCE_MS,
  );

  /** Largest number of commands within a second. All commands of one hand-out have the same time. */
  async function mostWokenWithinASecond(): Promise<number> {
    const { rows } = await suite.lockstep.database.pool.query<{ most: number }>(`
      select max(count)::int as most from (
        select count(*) over (order by created_at range between interval '900 ms' preceding and current row)
        from command where requested_by = 'worker') as woken`);
    return rows[0]?.most ?? 0;
  }

  test(
    'a wrong service credential costs one failed login and pauses the source, and all accounts follow once it is corrected',
    async () => {
      const service = await serviceWithWrongPassword();
      await suite.lockstep.configure(document(service.wrong));
      const started = await changesOf(10);
      await allWait(started);
      const [first] = started;
      const change = await suite.lockstep.readUntil(first?.id ?? '', ({ accounts }) =>
        accounts.some(({ source, state }) => source === 'crm' && state === 'applied'),
      );
      expect(change.accounts.map(({ source, state, reason }) => [source, state, reason])).toEqual([
        ['directory', 'applied', null],
        ['apps', 'waiting', 'service_credential_refused'],
        ['crm', 'applied', null],
      ]);
      expect(change.accounts[1]?.nextTryAt).toBeNull();
      const later = await changesOf(3);
      await allWait(later);
      expect(await service.failedLogins()).toBe(1);
      expect(await apps()).toMatchObject({ state: 'paused', by: 'worker' });
      await suite.lockstep.configure(document());
      await allDone([...started, ...later]);
    },
    PATIENCE_MS,
  );

  /** Adds a service account that locks after five failed logins, and returns settings with a wrong password for it. */
  async function serviceWithWrongPassword() {
    const { client, addPolicy } = suite.company.directories.apps;
    const dn = `cn=unlucky-${randomBytes(4).toString('hex')},ou=services,${suffixes.free}`;
    await client.add(dn, {
      objectClass: ['organizationalRole', 'simpleSecurityObject'],
      cn: /cn=([^,]+)/.exec(dn)?.[1] ?? '',
      userPassword: ssha(Secret.fromText(randomBytes(9).toString('hex'))),
      pwdPolicySubentry: await addPolicy({ pwdLockout: 'TRUE', pwdMaxFailure: '5' }),
    });
    const { settings } = suite.company.sources().apps as { settings: object };
    return {
      wrong: { apps: { settings: { ...settings, bindDn: dn } } },
      async failedLogins() {
        const found = await client.search(dn, { scope: 'base', attributes: ['pwdFailureTime'] });
        const times = found.searchEntries[0]?.pwdFailureTime ?? [];
        return Array.isArray(times) ? times.length : 1;
      },
    };
  }

  test('no request reaches a source that an operator has paused, and all accounts follow once it is resumed', async () => {
    const { db } = suite.lockstep.database;
    await pauseSource(db, 'apps', 'source_paused', 'api-key:1');
    const before = suite.company.proxies.apps.accepted();
    const started = await changesOf(5);
    await allWait(started);
    for (const { id } of started)
      expect(await appsOf(id)).toMatchObject({
        reason: 'source_paused',
        attempts: 0,
        nextTryAt: null,
      });
    expect(suite.company.proxies.apps.accepted()).toBe(before);
    await reopenSource(db, 'apps', 'paused', 'api-key:1');
    await allDone(started);
  });

  test('a successful check of a source wakes the waiting accounts unless an operator has paused it', async () => {
    const { db } = suite.lockstep.database;
    const finding = (verdict: Finding['verdict']): Finding => ({
      ...{ check: 'service-login', says: '' },
      verdict,
    });
    const checked = (verdict: Finding['verdict']) =>
      checkSource(
        db,
        'apps',
        { check: async () => [finding(verdict)] } as unknown as Connector,
        false,
      );
    await pauseSource(db, 'apps', 'service_credential_refused', 'worker');
    const started = await changesOf(1);
    await allWait(started);
    await checked('wrong');
    expect((await apps())?.state).toBe('paused');
    await checked('ok');
    await allDone(started);
    await pauseSource(db, 'apps', 'source_paused', 'api-key:1');
    await checked('ok');
    expect((await apps())?.state).toBe('paused');
  });

  test('cancelling all accounts that wait on a source ends their changes and writes nothing there', async () => {
    const { db } = suite.lockstep.database;
    await pauseSource(db, 'apps', 'source_paused', 'api-key:1');
    const started = await changesOf(5);
    await allWait(started);
    await giveSourceCommand(db, {
      source: 'apps',
      kind: 'cancel',
      perSecond: 20,
      reason: null,
      by: 'api-key:1',
    });
    for (const { id, word, accounts } of started) {
      expect((await suite.lockstep.readEnd(id)).state).toBe('partial');
      expect(await appsOf(id)).toMatchObject({ state: 'cancelled', attempts: 0 });
      expect(await accounts[1]?.logsIn(word)).toBe(false);
    }
  });

  test(
    keeps('an account is parked after five unknown errors until an operator retries it', 10),
    async () => {
      await suite.company.refuseWrites('XX000');
      const [started] = await changesOf(1);
      const { id = '', word = '', accounts = [] } = started ?? {};
      // The account may be retried by its own schedule as well, so more attempts than commands are possible.
      for (const attempts of [1, 2, 3, 4]) {
        const { accounts: read } = await suite.lockstep.readUntil(
          id,
          ({ accounts: [, , crm] }) =>
            crm?.state === 'parked' || (crm?.state === 'waiting' && crm.attempts >= attempts),
        );
        if (read[2]?.state === 'parked') break;
        await suite.lockstep.command(id, 'retry', 'crm');
      }
      const parked = await suite.lockstep.readUntil(
        id,
        ({ accounts: [, , crm] }) => crm?.state === 'parked',
      );
      expect(parked).toMatchObject({ state: 'waiting', endedAt: null });
      expect(parked.accounts[2]).toMatchObject({ reason: 'unknown', nextTryAt: null });
      const attempts = parked.accounts[2]?.attempts ?? 0;
      expect(attempts).toBeGreaterThanOrEqual(5);
      // A retry that fails again parks the account at once.
      await suite.lockstep.command(id, 'retry', 'crm');
      await suite.lockstep.readUntil(
        id,
        ({ accounts: [, , crm] }) => crm?.state === 'parked' && crm.attempts > attempts,
      );
      await suite.company.refuseWrites(null);
      await suite.lockstep.command(id, 'retry', 'crm');
      expect((await suite.lockstep.readEnd(id)).state).toBe('done');
      expect(await accounts[2]?.logsIn(word)).toBe(true);
    },
  );

  test('an account whose next attempt is overdue is retried, although the engine would wait longer', async () => {
    const { db } = suite.lockstep.database;
    await suite.company.refuseWrites('XX000');
    const [started] = await changesOf(1);
    const { id = '' } = started ?? {};
    await suite.lockstep.readUntil(
      id,
      ({ accounts: [, , crm] }) => crm?.state === 'waiting' && crm.attempts === 2,
    );
    // The engine waits a minute before the third attempt.
    await suite.company.refuseWrites(null);
    await sql`update outcome set next_try_at = now() - interval '1 hour'
              where change_id = ${id} and label = 'crm'`.execute(db);
    expect((await suite.lockstep.readEnd(id)).state).toBe('done');
  });

  test('an account that an operator has parked is not woken with its source, and its change ends when it is cancelled', async () => {
    const { db } = suite.lockstep.database;
    await pauseSource(db, 'apps', 'source_paused', 'api-key:1');
    const [parked, other] = await changesOf(2);
    await allWait([parked, other].filter((started) => started !== undefined));
    await suite.lockstep.command(parked?.id ?? '', 'park', 'apps');
    await until(async () => (await appsOf(parked?.id ?? ''))?.state === 'parked');
    await reopenSource(db, 'apps', 'paused', 'api-key:1');
    expect((await suite.lockstep.readEnd(other?.id ?? '')).state).toBe('done');
    expect((await appsOf(parked?.id ?? ''))?.state).toBe('parked');
    await suite.lockstep.command(parked?.id ?? '', 'cancel', 'apps');
    expect((await suite.lockstep.readEnd(parked?.id ?? '')).state).toBe('partial');
  });

  test('cancelling one account of a change lets the others go on and the change ends with them', async () => {
    const { db } = suite.lockstep.database;
    await pauseSource(db, 'apps', 'source_paused', 'api-key:1');
    await pauseSource(db, 'crm', 'source_paused', 'api-key:1');
    const [started] = await changesOf(1);
    const { id = '', word = '', accounts = [] } = started ?? {};
    await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
    await suite.lockstep.command(id, 'cancel', 'apps');
    await suite.lockstep.readUntil(id, (change) => change.accounts[1]?.state === 'cancelled');
    expect((await suite.lockstep.read(id)).endedAt).toBeNull();
    await reopenSource(db, 'crm', 'paused', 'api-key:1');
    expect((await suite.lockstep.readEnd(id)).state).toBe('partial');
    expect(await Promise.all(accounts.map((account) => account.logsIn(word)))).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('an account that is not linked is not searched while its source is down, and is found once the source is up', async () => {
    await suite.lockstep.configure(document({ crm: { correlate: [{ login: 'crmLogin' }] } }));
    const accounts = [
      await suite.company.addAccount('directory'),
      await suite.company.addAccount('crm'),
    ];
    const [directory, crm] = accounts;
    const attributes = { crmLogin: crm?.name ?? '' };
    const person = await suite.lockstep.addPerson(
      directory === undefined ? [] : [directory],
      attributes,
    );
    await suite.takeAway('crm');
    const word = `Where are you ${randomBytes(6).toString('hex')}`;
    const id = await suite.lockstep.accept({ person, password: word });
    const waiting = await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
    const unfound = waiting.accounts.find(({ source }) => source === 'crm');
    expect(unfound).toMatchObject({ account: null, reason: 'unreachable', attempts: 1 });
    await suite.company.proxies.crm.pass();
    await letProbeBeDue();
    expect((await suite.lockstep.readEnd(id)).state).toBe('done');
    expect(await crm?.logsIn(word)).toBe(true);
  });

  test('no other account is asked while the source of the auth account is paused, and all follow once it is resumed', async () => {
    const { db } = suite.lockstep.database;
    await pauseSource(db, 'directory', 'source_paused', 'api-key:1');
    const started = await changesOf(2);
    for (const { id } of started) {
      const change = await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
      expect(change.accounts.map(({ state }) => state)).toEqual(['waiting', 'pending', 'pending']);
    }
    await reopenSource(db, 'directory', 'paused', 'api-key:1');
    await allDone(started);
  });
});
