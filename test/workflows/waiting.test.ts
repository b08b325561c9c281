import { TestWorkflowEnvironment } from '@temporalio/testing';
import { anyRecord, readAudit } from '../../store/audit-records';
import { searchAttributes } from '../../workflows/names';
import { type Company, startCompany } from '../support/company';
import { endOf } from '../support/engine-client';
import { type NamedHistory, recordHistories } from '../support/histories';
import { brokenInvariants } from '../support/invariants';
import { type Lockstep, startLockstep, type TestWorker } from '../support/lockstep';
import { keeps } from '../support/rules';
import { describeWith, server } from '../support/servers';
import { until } from '../support/until';

/**
 * Waits of hours, on a Temporal server whose clock skips them. The sources and the store are real, and so are their
 * clocks.
 */
describeWith(['slapd', 'postgres', 'time-skipping'], 'waiting', () => {
  let engine: TestWorkflowEnvironment;
  let company: Company;
  let lockstep: Lockstep;
  let worker: TestWorker;
  const HOUR_MS = 3_600_000;
  const KEYWORD = 2;
  const INT = 3;
  const KEYWORD_LIST = 7;

  beforeAll(async () => {
    company = await startCompany();
    const path = server('time-skipping').timeSkippingBinary ?? '';
    engine = await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path } },
    });
    await engine.connection.operatorService.addSearchAttributes({
      namespace: engine.namespace ?? 'default',
      searchAttributes: {
        [searchAttributes.state]: KEYWORD,
        [searchAttributes.group]: KEYWORD_LIST,
        [searchAttributes.sources]: KEYWORD_LIST,
        [searchAttributes.failed]: INT,
      },
    });
    lockstep = await startLockstep({
      address: engine.address,
      namespace: engine.namespace ?? 'default',
      // This server never gives the tasks of a stopped worker to another worker.
      cachedWorkflows: 0,
    });
    await lockstep.configure({
      version: 1,
      sources: company.sources(),
      policies: { everyone: {} },
      groups: {
        all: { policy: 'everyone', authSource: 'directory', sources: ['directory', 'apps', 'crm'] },
      },
    });
    await probesAreDue();
    worker = lockstep.startWorker();
  });

  /**
   * Makes every probe due at once: the clock of the store skips nothing, unlike that of the engine, which wakes the
   * accounts.
   */
  const probesAreDue = () =>
    lockstep.database.pool.query(`
      create function due() returns trigger language plpgsql as $$
      begin new.next_probe_at := now(); return new; end $$;
      create trigger probes_are_due before insert or update on source_state
      for each row when (new.condition = 'down') execute function due()`);

  afterEach(async () => {
    for (const proxy of Object.values(company.proxies)) await proxy.pass();
    await lockstep.forgetTroubles();
    expect(await brokenInvariants(lockstep.database.db)).toEqual({});
  });

  afterAll(async () => {
    await recordHistories(
      { address: engine.address, namespace: engine.namespace ?? 'default' },
      lockstep.accepted,
    );
    await lockstep.stop();
    await engine.teardown();
    await company.stop();
  });

  async function personWithout(system: 'directory' | 'apps') {
    const accounts = await Promise.all([
      company.addAccount('directory'),
      company.addAccount('apps'),
    ]);
    await company.proxies[system].refuse();
    company.proxies[system].cut();
    const person = await lockstep.addPerson(accounts);
    const password = `Wait for it ${Math.random().toString(36).slice(2)}`;
    const id = await lockstep.accept({ person, password });
    return { id, accounts, password };
  }

  /**
   * Waits for the result of the workflow, or the type of its failure. The engine skips time only while a client waits for
   * one. It skips it while local activities run, too, so this serves changes that wait in activities.
   */
  async function skipToEnd(id: string): Promise<unknown> {
    // Before the change is started, the engine has no workflow of this id.
    await lockstep.readUntil(id, ({ state }) => state !== 'accepted');
    return endOf(engine.client.workflow.getHandle(id));
  }

  /** The same for a change that waits in its workflow at first: skips from one timer to the next. */
  async function skipTimersToEnd(id: string): Promise<unknown> {
    await lockstep.readUntil(id, ({ state }) => state !== 'accepted');
    const handle = engine.client.workflow.getHandle(id);
    let skipped = '';
    for (;;) {
      let timer: Timer | null = null;
      await until(async () => {
        timer = openTimer((await handle.fetchHistory()).events ?? []);
        if (timer !== null) return timer.startedEventId !== skipped;
        const { status, raw } = await handle.describe();
        return status.name !== 'RUNNING' || (raw.pendingActivities ?? []).length > 0;
      });
      if (timer === null) return endOf(handle);
      const { startedEventId, ms } = timer as Timer;
      skipped = startedEventId;
      await engine.sleep(ms);
    }
  }

  type HistoryEvent = NonNullable<NamedHistory['history']['events']>[number];

  interface Timer {
    readonly startedEventId: string;
    readonly ms: number;
  }

  /** The timer that is neither fired nor cancelled; null if there is none. */
  function openTimer(events: readonly HistoryEvent[]): Timer | null {
    const ended = events.flatMap((event) => {
      const { timerFiredEventAttributes: fired, timerCanceledEventAttributes: canceled } = event;
      const end = fired ?? canceled;
      return end == null ? [] : [String(end.startedEventId)];
    });
    const open = events.find(
      ({ eventId, timerStartedEventAttributes }) =>
        timerStartedEventAttributes != null && !ended.includes(String(eventId)),
    );
    const { seconds, nanos } = open?.timerStartedEventAttributes?.startToFireTimeout ?? {};
    return open === undefined
      ? null
      : {
          startedEventId: String(open.eventId),
          ms: Number(seconds ?? 0) * 1000 + Math.ceil(Number(nanos ?? 0) / 1e6),
        };
  }

  test(
    keeps(
      'an account of a source that stays away is tried on the schedule until the change is too old, then it expires',
      11,
    ),
    async () => {
      const { id } = await personWithout('apps');
      await lockstep.readUntil(id, ({ state }) => state === 'waiting');
      const began = await engine.currentTimeMs();
      expect(await skipTimersToEnd(id)).toBe('partial');
      // The clock of the engine may skip more once the workflow has ended.
      const { closeTime } = await engine.client.workflow.getHandle(id).describe();
      const waited = (closeTime?.getTime() ?? Number.NaN) - began;
      // The store, whose clock skips nothing, asks for a last wait of an hour, which is cut at the end of the change.
      expect(waited / HOUR_MS).toBeGreaterThan(70.9);
      expect(waited / HOUR_MS).toBeLessThan(72.2);
      const { accounts } = await lockstep.readEnd(id);
      expect(accounts[1]).toMatchObject({ state: 'expired', reason: 'too_old' });
      // 5 s, 1, 3, 10, 30, 90 minutes, then hourly: 69 more in what is left of 72 hours.
      expect(accounts[1]?.attempts).toBeGreaterThanOrEqual(74);
      expect(accounts[1]?.attempts).toBeLessThanOrEqual(78);
    },
  );

  test(
    keeps('a change whose auth source stays away expires, and no other account was attempted', 1),
    async () => {
      const { id, accounts, password } = await personWithout('directory');
      await lockstep.readUntil(id, ({ accounts: [auth] }) => auth?.state === 'waiting');
      expect(await skipTimersToEnd(id)).toBe('expired');
      const change = await lockstep.readEnd(id);
      expect(change.accounts.map(({ state }) => state)).toEqual(['expired', 'not_attempted']);
      await company.proxies.directory.pass();
      expect(await Promise.all(accounts.map((account) => account.logsIn(password)))).toEqual([
        false,
        false,
      ]);
    },
  );

  test(
    keeps('an account follows when its source comes back in the middle of a long wait', 10),
    async () => {
      const { id, accounts, password } = await personWithout('apps');
      await lockstep.readUntil(id, ({ accounts: [, apps] }) => (apps?.attempts ?? 0) === 1);
      const ended = skipTimersToEnd(id);
      await lockstep.readUntil(id, ({ accounts: [, apps] }) => (apps?.attempts ?? 0) >= 6);
      await company.proxies.apps.pass();
      expect(await ended).toBe('done');
      expect(await Promise.all(accounts.map((account) => account.logsIn(password)))).toEqual([
        true,
        true,
      ]);
    },
  );

  describe('an unknown error, again and again', () => {
    const document = (authSource: 'crm' | 'directory') => ({
      version: 1,
      sources: company.sources(),
      policies: { everyone: {} },
      groups: { all: { policy: 'everyone', authSource, sources: ['directory', 'apps', 'crm'] } },
    });
    /** A change of a person with an account in `directory` and one in `crm`, which refuses with an unknown code. */
    async function refusedBy(authSource: 'crm' | 'directory') {
      await lockstep.configure(document(authSource));
      await company.refuseWrites('XX000');
      const accounts = [await company.addAccount('directory'), await company.addAccount('crm')];
      const person = await lockstep.addPerson(accounts);
      const password = `Who knows why ${Math.random().toString(36).slice(2)}`;
      return { id: await lockstep.accept({ person, password }), accounts, password };
    }
    const auditOf = async (change: string) => {
      const filter = { ...anyRecord, change };
      const page = { filter, order: 'newest', cursor: null, limit: 1000 } as const;
      return (await readAudit(lockstep.database.db, page)).reverse();
    };
    const became = async (id: string, label: string) =>
      (await auditOf(id))
        .filter(({ subject, action }) => subject === label && action.startsWith('account.'))
        .map(({ action }) => action);
    /** Number of times that the engine ran the activity of the account. */
    async function runs(id: string): Promise<number> {
      const { events } = await engine.client.workflow.getHandle(id).fetchHistory();
      const started = events?.map(
        (event) => event.activityTaskStartedEventAttributes?.attempt ?? 0,
      );
      return Math.max(...(started ?? []));
    }

    afterEach(async () => {
      await company.refuseWrites(null);
      await lockstep.configure(document('directory'));
    });

    test('an account is parked after five unknown errors, and costs next to nothing until the change is too old', async () => {
      const { id } = await refusedBy('directory');
      const began = await engine.currentTimeMs();
      expect(await skipToEnd(id)).toBe('partial');
      expect(((await engine.currentTimeMs()) - began) / HOUR_MS).toBeGreaterThan(70.9);
      const { accounts } = await lockstep.readEnd(id);
      expect(accounts[1]).toMatchObject({ state: 'expired', reason: 'too_old', attempts: 5 });
      expect(await became(id, 'crm')).toEqual([
        ...Array.from({ length: 4 }, () => 'account.waiting'),
        'account.parked',
        'account.expired',
      ]);
      // A parked account is looked at once an hour, and not more often.
      expect(await runs(id)).toBeLessThanOrEqual(80);
    });

    test('a change whose auth account is parked expires, and no other account is attempted', async () => {
      const { id, accounts, password } = await refusedBy('crm');
      expect(await skipToEnd(id)).toBe('expired');
      const change = await lockstep.readEnd(id);
      expect(change.accounts.map(({ state, attempts }) => [state, attempts])).toEqual([
        ['expired', 5],
        ['not_attempted', 0],
      ]);
      expect(await accounts[0]?.logsIn(password)).toBe(false);
    });
  });

  test('a change that is cancelled in the middle of a long wait keeps what is applied, and cancels the rest', async () => {
    const { id } = await personWithout('apps');
    await lockstep.readUntil(id, ({ state }) => state === 'waiting');
    await lockstep.command(id, 'cancel');
    const change = await lockstep.readEnd(id);
    expect(change.accounts.map(({ state }) => state)).toEqual(['applied', 'cancelled']);
  });

  test('another worker continues a waiting account where a stopped worker left it', async () => {
    const { id, accounts, password } = await personWithout('apps');
    await lockstep.readUntil(id, ({ state }) => state === 'waiting');
    await worker.stop();
    await company.proxies.apps.pass();
    worker = lockstep.startWorker();
    expect(await skipTimersToEnd(id)).toBe('done');
    expect(await Promise.all(accounts.map((account) => account.logsIn(password)))).toEqual([
      true,
      true,
    ]);
    const change = await lockstep.readEnd(id);
    expect(change.accounts.map(({ attempts }) => attempts)).toEqual([1, 2]);
  });
});
