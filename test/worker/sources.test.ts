import { randomBytes } from 'node:crypto';
import type { Connector, Finding } from '../../connectors/contract';
import { ssha } from '../../local/slapd';
import type { Temporal } from '../../local/temporal';
import { Secret } from '../../model/passwords/secret';
import { giveSourceCommand } from '../../store/sources/commands';
import { pauseSource, readSourceStates, reopenSource } from '../../store/sources/state';
import { checkSource } from '../../worker/jobs/check-source';
import { type Company, type CompanyAccount, startCompany } from '../support/company';
import { startEngine } from '../support/engine';
import { brokenInvariants } from '../support/invariants';
import { type Lockstep, startLockstep } from '../support/lockstep';
import { addSomebody, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import { until } from '../support/until';

/** Sources that are down, or refuse our service account, and many changes that need them. */
describeWith(['slapd', 'postgres', 'temporal'], 'a source in trouble', () => {
  let engine: Temporal;
  let company: Company;
  let lockstep: Lockstep;
  const PATIENCE_MS = 180_000;

  const document = (more: Parameters<Company['sources']>[0] = {}) => ({
    version: 1,
    sources: company.sources(more),
    policies: { everyone: {} },
    groups: {
      all: { policy: 'everyone', authSource: 'directory', sources: ['directory', 'apps', 'crm'] },
    },
  });

  beforeAll(async () => {
    company = await startCompany();
    engine = await startEngine();
    lockstep = await startLockstep(engine);
    lockstep.startWorker();
  });
  beforeEach(() => lockstep.configure(document()));
  afterEach(async () => {
    for (const proxy of Object.values(company.proxies)) await proxy.pass();
    await company.refuseWrites(null);
    await lockstep.forgetTroubles();
    expect(await brokenInvariants(lockstep.database.db)).toEqual({});
  });
  afterAll(async () => {
    await lockstep.stop();
    await engine.stop();
    await company.stop();
  });

  interface Started {
    readonly id: string;
    readonly word: string;
    readonly accounts: readonly CompanyAccount[];
  }
  /** A change each of so many people, all at once. */
  async function changesOf(people: number): Promise<Started[]> {
    const prepared: Awaited<ReturnType<typeof addSomebody>>[] = [];
    for (let count = 0; count < people; count++)
      prepared.push(await addSomebody(lockstep, company, 'directory', 'apps', 'crm'));
    return Promise.all(
      prepared.map(async ({ person, accounts }) => {
        const word = newPassword();
        return { id: await lockstep.accept({ person, password: word }), word, accounts };
      }),
    );
  }
  const appsOf = (id: string) =>
    lockstep.read(id).then(({ accounts }) => accounts.find(({ source }) => source === 'apps'));
  const allWait = (started: readonly Started[]) =>
    until(async () => {
      const accounts = await Promise.all(started.map(({ id }) => appsOf(id)));
      return accounts.every((account) => account?.state === 'waiting');
    });
  async function allDone(started: readonly Started[]): Promise<void> {
    for (const { id, word, accounts } of started) {
      expect((await lockstep.readEnd(id)).state).toBe('done');
      for (const account of accounts) expect(await account.logsIn(word)).toBe(true);
    }
  }
  const apps = async () => (await readSourceStates(lockstep.database.db)).get('apps');
  const failures = async () => {
    const state = await apps();
    return state?.state === 'down' ? state.failures : 0;
  };
  async function msToProbe(): Promise<number> {
    const state = await apps();
    return state?.state === 'down' ? state.nextProbeAt.getTime() - Date.now() : 0;
  }
  /** As if its time had come, so long ago that whoever was to come would have come. */
  const letProbeBeDue = () => probeIn('-5 seconds');
  const probeIn = (time: string) =>
    lockstep.database.pool.query('update source_state set next_probe_at = now() + $1::interval', [
      time,
    ]);

  test(
    'down: it is asked once each time a probe is due, however many wait; when it is back all follow, at a capped rate',
    async () => {
      company.proxies.apps.silence();
      company.proxies.apps.cut();
      const [first] = await changesOf(1);
      await lockstep.readUntil(first?.id ?? '', ({ state }) => state === 'waiting');
      await probeIn('1 hour');
      const asked = company.proxies.apps.accepted();
      const others = await changesOf(29);
      await allWait(others);
      for (const { id } of others)
        expect(await appsOf(id)).toMatchObject({ reason: 'unreachable', attempts: 0 });
      expect(company.proxies.apps.accepted()).toBe(asked);
      for (const probe of [1, 2, 3]) {
        await letProbeBeDue();
        await until(async () => (await failures()) === probe + 1);
        expect(company.proxies.apps.accepted() - asked).toBe(probe);
        // 1, 3, 10 minutes: the 5 s were over when it was down for the first time.
        const minutes = [1, 3, 10][probe - 1] ?? 0;
        expect(await msToProbe()).toBeGreaterThan((minutes - 0.5) * 60_000);
      }
      await company.proxies.apps.pass();
      await letProbeBeDue();
      await allDone([...others, ...(first === undefined ? [] : [first])]);
      expect(await apps()).toBeUndefined();
      expect(await mostWokenWithinASecond()).toBeLessThanOrEqual(20);
    },
    PATIENCE_MS,
  );

  /** What one hand-out gives has one time; the next one comes a second later. */
  async function mostWokenWithinASecond(): Promise<number> {
    const { rows } = await lockstep.database.pool.query<{ most: number }>(`
      select max(count)::int as most from (
        select count(*) over (order by created_at range between interval '900 ms' preceding and current row)
        from command where requested_by = 'worker') as woken`);
    return rows[0]?.most ?? 0;
  }

  test(
    'a wrong service credential: one failed login in all, the source is paused, the others go on; put right, all follow',
    async () => {
      const service = await unluckyService();
      await lockstep.configure(document(service.wrong));
      const started = await changesOf(10);
      await allWait(started);
      const [one] = started;
      const change = await lockstep.readUntil(one?.id ?? '', ({ accounts }) =>
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
      await lockstep.configure(document());
      await allDone([...started, ...later]);
    },
    PATIENCE_MS,
  );

  /** A service account that locks after five failed logins, and a password that is not its own. */
  async function unluckyService() {
    const { client, addPolicy } = company.directories.apps;
    const dn = `cn=unlucky-${randomBytes(4).toString('hex')},ou=services,${suffixes.free}`;
    await client.add(dn, {
      objectClass: ['organizationalRole', 'simpleSecurityObject'],
      cn: /cn=([^,]+)/.exec(dn)?.[1] ?? '',
      userPassword: ssha(Secret.fromText(randomBytes(9).toString('hex'))),
      pwdPolicySubentry: await addPolicy({ pwdLockout: 'TRUE', pwdMaxFailure: '5' }),
    });
    const { settings } = company.sources().apps as { settings: object };
    return {
      wrong: { apps: { settings: { ...settings, bindDn: dn } } },
      async failedLogins() {
        const found = await client.search(dn, { scope: 'base', attributes: ['pwdFailureTime'] });
        const times = found.searchEntries[0]?.pwdFailureTime ?? [];
        return Array.isArray(times) ? times.length : 1;
      },
    };
  }

  test('paused by an operator: nothing reaches it, and resumed all follow by themselves', async () => {
    const { db } = lockstep.database;
    await pauseSource(db, 'apps', 'source_paused', 'api-key:1');
    const asked = company.proxies.apps.accepted();
    const started = await changesOf(5);
    await allWait(started);
    for (const { id } of started)
      expect(await appsOf(id)).toMatchObject({
        reason: 'source_paused',
        attempts: 0,
        nextTryAt: null,
      });
    expect(company.proxies.apps.accepted()).toBe(asked);
    await reopenSource(db, 'apps', 'paused', 'api-key:1');
    await allDone(started);
  });

  test('the check of a source whose login succeeds lets those go on who wait, unless an operator has paused it', async () => {
    const { db } = lockstep.database;
    const finding = (verdict: Finding['verdict']): Finding => ({
      ...{ check: 'service-login', says: '' },
      verdict,
    });
    const checked = (verdict: Finding['verdict']) =>
      checkSource(db, 'apps', { check: async () => [finding(verdict)] } as unknown as Connector);
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

  test('all that wait on a source are cancelled: their changes end without them, and nothing was written there', async () => {
    const { db } = lockstep.database;
    await pauseSource(db, 'apps', 'source_paused', 'api-key:1');
    const started = await changesOf(5);
    await allWait(started);
    await giveSourceCommand(db, { source: 'apps', kind: 'cancel', perSecond: 20, by: 'api-key:1' });
    for (const { id, word, accounts } of started) {
      expect((await lockstep.readEnd(id)).state).toBe('partial');
      expect(await appsOf(id)).toMatchObject({ state: 'cancelled', attempts: 0 });
      expect(await accounts[1]?.logsIn(word)).toBe(false);
    }
  });

  test(
    keeps(
      'five answers that nobody knows: parked, until somebody retries it when that is put right',
      10,
    ),
    async () => {
      await company.refuseWrites('XX000');
      const [one] = await changesOf(1);
      const { id = '', word = '', accounts = [] } = one ?? {};
      for (const attempts of [1, 2, 3, 4]) {
        await lockstep.readUntil(
          id,
          ({ accounts: [, , crm] }) => crm?.state === 'waiting' && crm.attempts === attempts,
        );
        await lockstep.command(id, 'retry', 'crm');
      }
      const parked = await lockstep.readUntil(
        id,
        ({ accounts: [, , crm] }) => crm?.state === 'parked',
      );
      expect(parked).toMatchObject({ state: 'waiting', endedAt: null });
      expect(parked.accounts[2]).toMatchObject({ attempts: 5, reason: 'unknown', nextTryAt: null });
      // Retried in vain, it is parked again at once.
      await lockstep.command(id, 'retry', 'crm');
      await lockstep.readUntil(
        id,
        ({ accounts: [, , crm] }) => crm?.state === 'parked' && crm.attempts === 6,
      );
      await company.refuseWrites(null);
      await lockstep.command(id, 'retry', 'crm');
      expect((await lockstep.readEnd(id)).state).toBe('done');
      expect(await accounts[2]?.logsIn(word)).toBe(true);
    },
  );

  test('parked by an operator: it is not woken with its source, and cancelled it ends', async () => {
    const { db } = lockstep.database;
    await pauseSource(db, 'apps', 'source_paused', 'api-key:1');
    const [one, other] = await changesOf(2);
    await allWait([one, other].filter((started) => started !== undefined));
    await lockstep.command(one?.id ?? '', 'park', 'apps');
    await until(async () => (await appsOf(one?.id ?? ''))?.state === 'parked');
    await reopenSource(db, 'apps', 'paused', 'api-key:1');
    expect((await lockstep.readEnd(other?.id ?? '')).state).toBe('done');
    expect((await appsOf(one?.id ?? ''))?.state).toBe('parked');
    await lockstep.command(one?.id ?? '', 'cancel', 'apps');
    expect((await lockstep.readEnd(one?.id ?? '')).state).toBe('partial');
  });

  test('one account of a change is cancelled: the others go on, and the change ends with them', async () => {
    const { db } = lockstep.database;
    await pauseSource(db, 'apps', 'source_paused', 'api-key:1');
    await pauseSource(db, 'crm', 'source_paused', 'api-key:1');
    const [one] = await changesOf(1);
    const { id = '', word = '', accounts = [] } = one ?? {};
    await lockstep.readUntil(id, ({ state }) => state === 'waiting');
    await lockstep.command(id, 'cancel', 'apps');
    await lockstep.readUntil(id, (change) => change.accounts[1]?.state === 'cancelled');
    expect((await lockstep.read(id)).endedAt).toBeNull();
    await reopenSource(db, 'crm', 'paused', 'api-key:1');
    expect((await lockstep.readEnd(id)).state).toBe('partial');
    expect(await Promise.all(accounts.map((account) => account.logsIn(word)))).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('an account that nobody linked is not looked for while its source is down; it is found when it answers', async () => {
    await lockstep.configure(document({ crm: { correlate: [{ login: 'crmLogin' }] } }));
    const accounts = [await company.addAccount('directory'), await company.addAccount('crm')];
    const [directory, crm] = accounts;
    const attributes = { crmLogin: crm?.name ?? '' };
    const person = await lockstep.addPerson(directory === undefined ? [] : [directory], attributes);
    await company.proxies.crm.refuse();
    company.proxies.crm.cut();
    const word = `Where are you ${randomBytes(6).toString('hex')}`;
    const id = await lockstep.accept({ person, password: word });
    const waiting = await lockstep.readUntil(id, ({ state }) => state === 'waiting');
    const unfound = waiting.accounts.find(({ source }) => source === 'crm');
    expect(unfound).toMatchObject({ account: null, reason: 'unreachable', attempts: 1 });
    await company.proxies.crm.pass();
    await letProbeBeDue();
    expect((await lockstep.readEnd(id)).state).toBe('done');
    expect(await crm?.logsIn(word)).toBe(true);
  });

  test('an auth account whose source is paused: nobody else is asked, and all follow when it is resumed', async () => {
    const { db } = lockstep.database;
    await pauseSource(db, 'directory', 'source_paused', 'api-key:1');
    const started = await changesOf(2);
    for (const { id } of started) {
      const change = await lockstep.readUntil(id, ({ state }) => state === 'waiting');
      expect(change.accounts.map(({ state }) => state)).toEqual(['waiting', 'pending', 'pending']);
    }
    await reopenSource(db, 'directory', 'paused', 'api-key:1');
    await allDone(started);
  });
});
