import type { Registration } from '../../capture/setup';
import {
  accept,
  crashBench,
  crashCases,
  crashSteps,
  credentialsOf,
  ended,
  expectDone,
  expectDoneAfterKill,
  newPassword,
  newPerson,
  succeed,
  waitingFor,
} from '../support/crash-bench';
import { longTest } from '../support/long';
import { setUpTestRelay } from '../support/relay';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const MINUTES = 60_000;

describeWith(
  ['slapd', 'postgres', 'temporal'],
  'a crash of what Lockstep needs, or a worker that freezes',
  () => {
    const bench = crashBench();

    test.each(crashCases('engine', 'postgres'))(
      keeps('kill -9 of $victim while $step loses no change and writes no account twice', 24),
      ({ victim, step }) => expectDoneAfterKill(bench, victim, step),
      4 * MINUTES,
    );

    test('a change that is accepted while the engine is down reports that it waits for it, and ends once it is back', async () => {
      const one = await newPerson(bench);
      await bench.stack.engine.kill();
      const id = await accept(bench, one.person, one.next);
      await waitingFor(bench, id, 'engine');
      await bench.stack.engine.back();
      await expectDone(bench, id, one);
    });

    test('the api refuses changes while PostgreSQL is down, and continues without a restart once it is back', async () => {
      const one = await newPerson(bench);
      const pids = [bench.stack.api.pid(), bench.stack.worker.pid()];
      await bench.stack.postgres.kill();
      const wanted = { identity: one.person, password: one.next };
      const refused = await bench.stack.call('POST', 'changes', wanted);
      expect(refused).toMatchObject({ status: 503, body: { code: 'database_away' } });
      expect(refused.headers.get('retry-after')).toBe('5');
      await bench.stack.postgres.back();
      await expectDone(bench, await accept(bench, one.person, one.next), one);
      const { changes } = await succeed(bench, 'GET', `changes?identity=${one.person}`);
      expect(changes).toHaveLength(2);
      expect([bench.stack.api.pid(), bench.stack.worker.pid()]).toEqual(pids);
    });

    test(
      'captures are answered with 503 or kept by the relay while PostgreSQL is down, and take effect in order later',
      async () => {
        const { stack } = bench;
        const one = await newPerson(bench);
        const [directory] = one.accounts;
        const source = 'directory';
        const relay = await setUpTestRelay({
          ...{ url: stack.url, source },
          register: async (publicKey) =>
            (await stack.call('POST', 'relays', { source, publicKey }))
              .body as unknown as Registration,
        });
        await relay.start();
        await until(async () => (await relay.handOver('nobody', 'the first one')) === 'stored');
        await stack.postgres.kill();
        const posted = { source, account: directory?.name, password: newPassword() };
        const refused = await stack.call('POST', 'captures', {
          ...posted,
          capturedAt: new Date().toISOString(),
        });
        expect(refused).toMatchObject({ status: 503, body: { code: 'database_away' } });
        const words = [newPassword(), newPassword()];
        for (const word of words) {
          await directory?.changeThere(word);
          expect(await relay.handOver(directory?.name ?? '', word)).toBe('stored');
        }
        await stack.postgres.back();
        const changes = async () =>
          stack.database.db
            .selectFrom('change')
            .select(['captured_at as at', 'ended_at as end'])
            .where('identity_name', '=', one.person)
            .orderBy('seq')
            .execute()
            .catch(() => []);
        await until(async () => {
          const all = await changes();
          return all.length === 1 + words.length && all.every(({ end }) => end !== null);
        });
        const times = (await changes()).slice(1).map(({ at }) => Number(at));
        expect(times).toEqual([...times].sort((first, second) => first - second));
        const newest = words.at(-1) ?? '';
        const logins = await Promise.all(one.accounts.map((account) => account.logsIn(newest)));
        expect(logins).toEqual([true, true, true]);
        expect(await credentialsOf(bench, one.person)).toEqual([newest, newest]);
        await relay.stop();
      },
      4 * MINUTES,
    );

    test('an open change is started again and ends after the engine has lost all its data', async () => {
      const one = await newPerson(bench);
      const { id } = await crashSteps['an account waits for its source'](bench, one);
      await bench.stack.engine.kill();
      bench.stack.engine.forget();
      await bench.stack.engine.back();
      // A worker checks open changes every half an hour; the retry makes it happen now.
      await succeed(bench, 'POST', `changes/${id}/retry`);
      await expectDone(bench, id, one);
    });

    // Another worker takes over when the lease of the frozen one has ended, after a minute.
    longTest(
      'a worker that is frozen while an account is claimed but not written writes no old password after another worker has taken over',
      async () => {
        const one = await newPerson(bench);
        const step = crashSteps['an account is claimed but not written'];
        const { id, release } = await step(bench, one);
        bench.stack.worker.freeze();
        await release();
        const other = await bench.stack.startWorker();
        await ended(bench, id);
        const next = newPassword();
        const newer = await accept(bench, one.person, next);
        await ended(bench, newer);
        bench.stack.worker.thaw();
        // Stopping waits for the work in progress.
        await bench.stack.worker.stop();
        await expectDone(bench, newer, { ...one, old: one.next, next }, 3);
        await bench.stack.worker.back();
        await other.stop();
      },
      4 * MINUTES,
    );
  },
);
