import {
  accept,
  crashBench,
  crashCases,
  crashSteps,
  ended,
  expectDone,
  expectDoneAfterKill,
  newPassword,
  newPerson,
  succeed,
  waitingFor,
} from '../support/crash-bench';
import { brokenInvariants } from '../support/invariants';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';

const MINUTES = 60_000;

describeWith(['slapd', 'postgres', 'temporal'], 'a crash of Lockstep', () => {
  const bench = crashBench();

  test.each(crashCases('worker', 'api'))(
    keeps('kill -9 of $victim while $step loses no change and writes no account twice', 24),
    ({ victim, step }) => expectDoneAfterKill(bench, victim, step),
    4 * MINUTES,
  );

  test(
    keeps(
      'kill -9 of a worker after a write costs no newer password that is captured then',
      12,
      24,
    ),
    async () => {
      const one = await newPerson(bench);
      const [directory] = one.accounts;
      const { id } = await crashSteps['the auth account is written but the reply is lost'](
        bench,
        one,
      );
      await bench.stack.worker.kill();
      const word = newPassword();
      await directory?.changeThere(word);
      const captured = await succeed(bench, 'POST', 'captures', {
        ...{ source: 'directory', account: directory?.name, password: word },
        capturedAt: new Date().toISOString(),
      });
      await bench.stack.worker.back();
      await ended(bench, String(captured.id));
      await ended(bench, id);
      const logins = one.accounts.map((account) => account.logsIn(word));
      expect(await Promise.all(logins)).toEqual([true, true, true]);
      expect(await succeed(bench, 'GET', `changes/${captured.id}`)).toMatchObject({
        state: 'done',
      });
      expect(await succeed(bench, 'GET', `changes/${id}`)).toMatchObject({ state: 'superseded' });
      expect(await brokenInvariants(bench.stack.database.db)).toEqual({});
    },
    4 * MINUTES,
  );

  test('a change that is accepted while no worker runs reports that it waits for one, and ends once one runs', async () => {
    const one = await newPerson(bench);
    await bench.stack.worker.stop();
    const id = await accept(bench, one.person, one.next);
    await waitingFor(bench, id, 'worker');
    await bench.stack.worker.back();
    await expectDone(bench, id, one);
  });
});
