import { pauseSource } from '../../store/sources/state';
import { newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { companyDocument, workerSuite } from '../support/worker-suite';

/** Sources that may be written only so fast, or not at certain times. Two workers share the limits. */
describeWith(['slapd', 'postgres', 'temporal'], 'a source with limits', () => {
  const suite = workerSuite();
  const PATIENCE_MS = 120_000;

  const configure = (apps: object) =>
    suite.lockstep.configure(companyDocument(suite.company, { apps }));
  const changeOf = async () => {
    const { person, accounts } = await suite.addPerson('directory', 'apps');
    const word = newPassword();
    return { id: await suite.lockstep.accept({ person, password: word }), word, accounts };
  };
  const appsOf = async (id: string) =>
    (await suite.lockstep.read(id)).accounts.find(({ source }) => source === 'apps');
  async function allDone(started: readonly Awaited<ReturnType<typeof changeOf>>[]): Promise<void> {
    for (const { id, word, accounts } of started) {
      expect((await suite.lockstep.readEnd(id)).state).toBe('done');
      for (const account of accounts) expect(await account.logsIn(word)).toBe(true);
    }
  }
  /** The accounts of `apps` in these changes, in the order in which their writes began. */
  async function turns(): Promise<{ at: number; ended: number }[]> {
    const { rows } = await suite.lockstep.database.pool.query(
      "select extract(epoch from taken_at)::float8 as at, extract(epoch from until)::float8 as ended from source_turn where source = 'apps' order by taken_at",
    );
    return rows;
  }

  afterEach(() => suite.lockstep.database.pool.query('delete from source_turn'));

  test(
    'two workers together begin no more accounts in a second than maxPerSecond, and all accounts are written',
    async () => {
      const second = suite.lockstep.startWorker();
      await suite.lockstep.database.pool.query('delete from source_turn');
      await configure({ maxPerSecond: 4 });
      const started = await Promise.all(Array.from({ length: 10 }, changeOf));
      const seen = new Set<string>();
      const begun: number[] = [];
      await until(async () => {
        for (const { at } of await turns()) if (!begun.includes(at)) begun.push(at);
        for (const { id } of started) seen.add(String((await appsOf(id))?.reason));
        return begun.length === 10;
      });
      begun.sort((one, other) => one - other);
      for (const [index, at] of begun.entries())
        expect(at - (begun[index - 4] ?? 0)).toBeGreaterThanOrEqual(1);
      await allDone(started);
      expect(seen).toContain('source_at_limit');
      for (const { id } of started) expect((await appsOf(id))?.attempts).toBe(1);
      await second.stop();
    },
    PATIENCE_MS,
  );

  test(
    'no more than maxAtOnce accounts are written at the same time, and the next one follows at once',
    async () => {
      await configure({ maxAtOnce: 1 });
      const started = await Promise.all(Array.from({ length: 6 }, changeOf));
      await allDone(started);
      const taken = await turns();
      for (const [index, { at }] of taken.entries())
        expect(at).toBeGreaterThanOrEqual(taken[index - 1]?.ended ?? 0);
      for (const { id } of started) expect((await appsOf(id))?.attempts).toBe(1);
    },
    PATIENCE_MS,
  );

  test(
    'accounts that wait for their turn continue when the limit is removed',
    async () => {
      await configure({ maxPerSecond: 0.001 });
      const first = await changeOf();
      await allDone([first]);
      const second = await changeOf();
      await until(async () => (await appsOf(second.id))?.reason === 'source_at_limit');
      expect(await appsOf(second.id)).toMatchObject({
        state: 'waiting',
        attempts: 0,
        nextTryAt: null,
      });
      await configure({});
      await allDone([second]);
    },
    PATIENCE_MS,
  );

  test(
    'a pause until a time ends by itself, and its accounts continue',
    async () => {
      await configure({});
      const { db } = suite.lockstep.database;
      await pauseSource(db, 'apps', 'source_paused', 'test', new Date(Date.now() + 3_600_000));
      const started = await changeOf();
      await until(async () => (await appsOf(started.id))?.reason === 'source_paused');
      await suite.lockstep.database.pool.query(
        "update source_state set until = now() + interval '1 second' where source = 'apps'",
      );
      await allDone([started]);
    },
    PATIENCE_MS,
  );

  test(
    'nothing is written in a maintenance window: the accounts show its end, and continue when it is over',
    async () => {
      const at = (ms: number) => new Date(Date.now() + ms).toISOString().slice(11, 16);
      await configure({ maintenance: [{ from: at(-120_000), to: at(7_200_000) }] });
      const started = await changeOf();
      await until(async () => (await appsOf(started.id))?.state === 'waiting');
      const account = await appsOf(started.id);
      expect(account).toMatchObject({ reason: 'source_in_maintenance', attempts: 0 });
      const endsInMs = (account?.nextTryAt?.getTime() ?? 0) - Date.now();
      expect(endsInMs).toBeGreaterThan(7_000_000);
      expect(endsInMs).toBeLessThan(7_201_000);
      expect(await started.accounts[0]?.logsIn(started.word)).toBe(true);
      expect(await started.accounts[1]?.logsIn(started.word)).toBe(false);
      await configure({ maintenance: [{ from: at(7_200_000), to: at(7_260_000) }] });
      await allDone([started]);
      const { rows } = await suite.lockstep.database.pool.query(
        "select count(*)::int as notices from notice where subject = 'apps' and detail->>'reason' = 'source_in_maintenance'",
      );
      expect(rows).toEqual([{ notices: 0 }]);
    },
    PATIENCE_MS,
  );
});
