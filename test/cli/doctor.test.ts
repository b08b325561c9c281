import { reportPresence } from '../../store/presence';
import { claimJob, finishJob } from '../../store/sources/jobs';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { lockstepAt } from './run-cli';

describeWith(['postgres'], 'asking the worker', () => {
  let api: TestApi;
  const lockstep = lockstepAt(() => api);

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
  });
  afterAll(() => api.stop());

  /** The worker does so many jobs, each with what this gives. */
  const worker = (jobs: number, result: (source: string) => unknown) => async () => {
    for (let done = 0; done < jobs; done++)
      await until(async () => {
        const job = await claimJob(api.database.db, 60);
        if (job === null) return false;
        await finishJob(api.database.db, job.id, 'done', result(job.source));
        return true;
      });
  };

  /** The api looks only now and then. */
  const presence = (waitingFor: string | null) =>
    until(async () => (await api.send('GET', '/v1/presence')).body.waitingFor === waitingFor);

  describe('doctor', () => {
    const finding = (verdict: string, says = 'It is as it should be.') => ({
      findings: [{ check: 'tls', verdict, says }],
    });

    test('nothing wrong: exit 0, warnings or not', async () => {
      const { code, stdout } = await lockstep(['doctor', 'directory', 'warehouse'], {
        meanwhile: worker(2, (source) => finding(source === 'warehouse' ? 'warning' : 'ok')),
      });
      expect(code).toBe(0);
      expect(stdout).toContain('api\n  ✔ reachable  The api answers at http://127.0.0.1');
      expect(stdout).toContain('  ✔ key        The API key may administer.\n');
      expect(stdout).toMatch(/ {2}✔ audit {6}The chain of \d+ records is intact\.\n/);
      expect(stdout).toContain('directory (ldap)\n  ✔ tls  It is as it should be.\n');
      expect(stdout).toContain('warehouse (ldap)\n  ! tls  It is as it should be.\n');
      expect(stdout).toContain('\nNothing is wrong, 1 warning.\n');
    });

    test('something wrong: exit 1, and what', async () => {
      const { code, stdout } = await lockstep(['doctor', 'crm'], {
        meanwhile: worker(1, () => finding('wrong', 'The certificate is not trusted.')),
      });
      expect([code, stdout]).toEqual([1, expect.stringContaining('  ✖ tls  The certificate is')]);
      expect(stdout).toContain('\n1 thing is wrong.\n');
    });

    test('a source that the worker could not check at all is wrong', async () => {
      const { code, stdout } = await lockstep(['doctor', 'crm'], {
        meanwhile: worker(1, () => ({ code: 'internal' })),
      });
      expect([code, stdout]).toEqual([1, expect.stringContaining('✖ check  Lockstep made a mist')]);
    });

    test('a record that was changed is wrong, and which', async () => {
      const { db } = api.database;
      await db
        .insertInto('audit')
        .values({
          actor: 'x',
          action: 'x',
          change_id: null,
          subject: null,
          position: 1,
          hash: Buffer.alloc(32),
        })
        .execute();
      const { code, stdout } = await lockstep(['doctor', 'crm'], {
        meanwhile: worker(1, () => finding('ok')),
      });
      await db.deleteFrom('audit').where('position', '=', 1).execute();
      expect([code, stdout]).toEqual([1, expect.stringContaining('✖ audit      Record 1 is not')]);
    });

    test('a key that may not look is told so, and no source is asked', async () => {
      const LOCKSTEP_API_KEY = await api.newKey(['read']);
      const { code, stdout } = await lockstep(['doctor'], { env: { LOCKSTEP_API_KEY } });
      expect([code, stdout]).toEqual([
        1,
        expect.stringContaining('needs a key with the scope admin'),
      ]);
      expect(await claimJob(api.database.db, 1)).toBeNull();
    });

    test('a source that is not there: which are', async () => {
      const { code, stderr } = await lockstep(['doctor', 'nowhere']);
      expect([code, stderr]).toEqual([
        2,
        'There is no source "nowhere"; there are: crm, directory, ledger, vault, warehouse.\n',
      ]);
    });
  });

  test('refresh tells the counts, who fits nobody and who several', async () => {
    const sample = (count: number, ...first: string[]) => ({ count, first });
    const result = {
      preview: true,
      read: 30,
      linked: 4,
      alreadyLinked: 3,
      peopleAdded: 2,
      unmatched: sample(21, 'svc-backup'),
      ambiguous: sample(2, 'a.smith', 'b.smith'),
      failed: null,
    };
    const meanwhile = worker(1, () => result);
    const { code, stdout } = await lockstep(['refresh', 'crm', '--preview'], { meanwhile });
    expect(code).toBe(0);
    expect(stdout).toBe(
      `crm: 30 accounts read
  3 were linked before, 4 would be linked, 2 of them to people who would be added
  21 fit nobody:
      svc-backup
      … and 20 more
  2 fit several people, or share one, and are left alone:
      a.smith
      b.smith
`,
    );
    const failed = await lockstep(['refresh', 'crm'], {
      meanwhile: worker(1, () => ({ ...result, preview: false, failed: 'unreachable' })),
    });
    expect([failed.code, failed.stdout]).toEqual([
      1,
      expect.stringContaining('It ended early: The source cannot be reached.'),
    ]);
  });

  test('a refresh that no worker does in time: exit 4', async () => {
    const { code, stderr } = await lockstep(['refresh', 'crm', '--wait', '0']);
    expect([code, stderr]).toEqual([4, expect.stringContaining('"lockstep doctor crm"')]);
    await worker(1, () => ({}))();
  });

  test.each([
    [true, 0, '✔ engine     A worker runs and reaches the engine (Temporal).'],
    [false, 1, '✖ engine     No worker reaches the engine (Temporal).'],
  ])(
    'an engine that is reached or not (%s): said with no change under way',
    async (reached, expected, says) => {
      const { db } = api.database;
      await reportPresence(db, 'doctor-test', true);
      await db.updateTable('worker_presence').set({ engine_reachable: reached }).execute();
      await presence(reached ? null : 'engine');
      const { code, stdout } = await lockstep(['doctor', 'crm'], {
        meanwhile: worker(1, () => ({ findings: [] })),
      });
      expect([code, stdout]).toEqual([expected, expect.stringContaining(says)]);
    },
  );

  test('without a worker, the doctor says so at once, and asks for nothing', async () => {
    await api.database.db.deleteFrom('worker_presence').execute();
    await presence('worker');
    const { code, stdout } = await lockstep(['doctor']);
    expect([code, stdout]).toEqual([1, expect.stringContaining('✖ worker     No worker runs')]);
    expect(await claimJob(api.database.db, 1)).toBeNull();
  });
});
