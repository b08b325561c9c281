import { mkdirSync, renameSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { sql } from 'kysely';
import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { type EngineProblem, engineProblems } from '../../model/engine-problem';
import {
  type KeyStoreProblem,
  keepsFromSealing,
  keyStoreProblems,
} from '../../model/key-store-problem';
import { linkReports } from '../../model/people/link-reports';
import { applyConfiguration, currentConfiguration } from '../../store/configuration/versions';
import { removePresence, reportPresence } from '../../store/presence';
import { claimJob, finishJob } from '../../store/sources/jobs';
import { SIGNER_PUBLIC_FILE } from '../../store/worker/keys/key-directory';
import { type Loop, startLoop } from '../../worker/loop';
import { startTestApi, type TestApi } from '../support/api';
import { chainAll, verifyAll } from '../support/audit-chain';
import { addPerson, applyTestConfiguration, testConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { lockstepAt } from './run-cli';

describeWith(['postgres'], 'commands that a worker carries out', () => {
  let api: TestApi;
  let verifier: Loop;
  const lockstep = lockstepAt(() => api);

  beforeAll(async () => {
    api = await startTestApi();
    const { db } = api.database;
    await applyTestConfiguration(db);
    await addPerson(db, 'alice');
    // On a busy machine, a command takes longer than a worker that reports nothing counts as running.
    verifier = startLoop({ name: 'verifier', everyMs: 200 }, async () => {
      await sql`update worker_presence set seen_at = now()`.execute(db);
      const job = await claimJob(db, 60, ['verify-audit']);
      if (job !== null) await finishJob(db, job.id, 'done', await verifyAll(db));
      return job !== null;
    });
  });
  afterAll(async () => {
    await verifier.stop();
    await api.stop();
  });

  /** Does this many jobs of sources as a worker would, each with the given result. */
  const worker = (jobs: number, result: (source: string) => unknown) => async () => {
    for (let done = 0; done < jobs; done++)
      await until(async () => {
        const job = await claimJob(api.database.db, 60, ['check', 'refresh', 'look']);
        if (job === null) return false;
        await finishJob(api.database.db, job.id, 'done', result(String(job.source)));
        return true;
      });
  };

  /** Waits until the API has noticed the state of the workers, which it reads at intervals. */
  const presence = (waitingFor: string | null) =>
    until(async () => (await api.send('GET', '/v1/presence')).body.waitingFor === waitingFor);

  describe('lockstep doctor', () => {
    const finding = (verdict: string, says = 'It is as it should be.') => ({
      findings: [{ check: 'tls', verdict, says }],
    });

    test('lockstep doctor exits with 0 if no check failed, with or without warnings', async () => {
      const { code, stdout } = await lockstep(['doctor', 'directory', 'warehouse'], {
        during: worker(2, (source) => finding(source === 'warehouse' ? 'warning' : 'ok')),
      });
      expect(code).toBe(0);
      expect(stdout).toContain('api\n  ✔ reachable  The API answers at http://127.0.0.1');
      expect(stdout).toContain('  ✔ key        The API key has the scope operate or admin.\n');
      expect(stdout).toMatch(
        / {2}✔ audit {6}Verified \d+ audit records, from \d{4}-\S+Z to \S+Z\./,
      );
      expect(stdout).toContain('directory (ldap)\n  ✔ tls  It is as it should be.\n');
      expect(stdout).toContain('warehouse (ldap)\n  ! tls  It is as it should be.\n');
      expect(stdout).toContain('\nNo check failed, 1 warning.\n');
    });

    test('lockstep doctor exits with 1 if a check failed, and shows which', async () => {
      const { code, stdout } = await lockstep(['doctor', 'crm'], {
        during: worker(1, () => finding('wrong', 'The certificate is not trusted.')),
      });
      expect([code, stdout]).toEqual([1, expect.stringContaining('  ✖ tls  The certificate is')]);
      expect(stdout).toContain('\n1 check failed. Correct what is marked ✖ and run this again.\n');
    });

    test('lockstep doctor reports a source that the worker could not check as a failed check', async () => {
      const { code, stdout } = await lockstep(['doctor', 'crm'], {
        during: worker(1, () => ({ code: 'internal' })),
      });
      expect([code, stdout]).toEqual([1, expect.stringContaining('✖ check  Internal error')]);
    });

    test('lockstep doctor names an audit record that was altered', async () => {
      const { db } = api.database;
      await chainAll(db);
      await sql`update audit set actor = 'forged ' || actor where position = 2`.execute(db);
      const { code, stdout } = await lockstep(['doctor', 'crm'], {
        during: worker(1, () => finding('ok')),
      });
      await sql`update audit set actor = replace(actor, 'forged ', '') where position = 2`.execute(
        db,
      );
      expect([code, stdout]).toEqual([1, expect.stringContaining('✖ audit      Verified 1 audit')]);
      expect(stdout).toContain('Record 2 was altered');
    });

    test('lockstep doctor reports a key without the scope operate, and checks no source with it', async () => {
      const LOCKSTEP_API_KEY = await api.newKey(['read']);
      const { code, stdout } = await lockstep(['doctor'], { env: { LOCKSTEP_API_KEY } });
      expect([code, stdout]).toEqual([
        1,
        expect.stringContaining('needs a key with the scope operate or admin'),
      ]);
      expect(await claimJob(api.database.db, 1)).toBeNull();
    });

    test('lockstep doctor lists the sources if a name is unknown', async () => {
      const { code, stderr } = await lockstep(['doctor', 'nowhere']);
      expect([code, stderr]).toEqual([
        2,
        'There is no source "nowhere". Sources: crm, directory, ledger, vault, warehouse.\n',
      ]);
    });
  });

  test('lockstep refresh shows the counts and the accounts that match no person or several', async () => {
    const sample = (count: number, ...first: string[]) => ({ count, first });
    const result = {
      preview: true,
      read: 30,
      linked: 4,
      alreadyLinked: 3,
      peopleAdded: 2,
      unmatched: sample(21, 'svc-backup'),
      ambiguous: sample(2, 'a.smith', 'b.smith'),
      unreadable: sample(1, 'odd\ufffdname'),
      reports: [
        {
          code: 'renamed',
          says: linkReports.renamed,
          count: 1,
          first: [{ name: 'c.smith', now: 'c.jones', person: 'carol' }],
        },
      ],
      failed: null,
    };
    const during = worker(1, () => result);
    const { code, stdout } = await lockstep(['refresh', 'crm', '--preview'], { during });
    expect(code).toBe(0);
    expect(stdout).toBe(
      `crm: 30 accounts read
  3 already linked, 4 would be linked now, 2 of these to people who would be added
  21 match no person:
      svc-backup
      … and 20 more
  2 match several people, or the same person, and are not linked:
      a.smith
      b.smith
  1 have no name, or text that cannot be stored, and are skipped:
      odd\ufffdname
  1 have another name in the source now, by their lasting id. Their links follow.
      c.smith → c.jones (carol)
`,
    );
    const failed = await lockstep(['refresh', 'crm'], {
      during: worker(1, () => ({ ...result, preview: false, failed: 'unreachable' })),
    });
    expect([failed.code, failed.stdout]).toEqual([
      1,
      expect.stringContaining(
        'The list is partial, so nothing was linked. The refresh ended early: The source cannot be reached.',
      ),
    ]);
  });

  test('lockstep refresh exits with 4 if no worker finishes in time', async () => {
    const { code, stderr } = await lockstep(['refresh', 'crm', '--wait', '0']);
    expect([code, stderr]).toEqual([4, expect.stringContaining('"lockstep doctor crm"')]);
    await worker(1, () => ({}))();
  });

  test.each([
    [null, [], '✔ engine     A worker is running and reaches the engine (Temporal).'],
    ...(Object.keys(engineProblems) as EngineProblem[]).map(
      (problem) =>
        [problem, [], `✖ engine     No change can start. ${engineProblems[problem]}`] as const,
    ),
    ['search_attributes', ['LockstepState=Keyword'], 'It lacks LockstepState=Keyword.'],
  ] as const)(
    'lockstep doctor reports whether a worker can use the engine, and the cause: %s %j',
    async (engineProblem, engineLacks, says) => {
      const { db } = api.database;
      await reportPresence(db, 'test', { engineProblem, engineLacks });
      await presence(engineProblem === null ? null : 'engine');
      const { code, stdout } = await lockstep(['doctor', 'crm'], {
        during: worker(1, () => ({ findings: [] })),
      });
      await reportPresence(db, 'test');
      expect(code).toBe(engineProblem === null ? 0 : 1);
      expect(stdout.replace(/\s+/g, ' ')).toContain(says.replace(/\s+/g, ' '));
    },
  );

  test.each(Object.keys(keyStoreProblems) as KeyStoreProblem[])(
    'lockstep doctor reports what is wrong with the master keys, what that means, and the remedy: %s',
    async (problem) => {
      const { db } = api.database;
      await reportPresence(db, 'test', { keyStoreProblem: problem });
      await presence(keepsFromSealing(problem) ? 'key_store' : null);
      const { code, stdout } = await lockstep(['doctor', 'crm'], {
        during: worker(1, () => ({ findings: [] })),
      });
      await reportPresence(db, 'test');
      expect(code).toBe(1);
      expect(stdout.replace(/\s+/g, ' ')).toContain(
        `${keepsFromSealing(problem) ? 'changes of mapped accounts wait' : 'some stored credentials cannot be read'}. ${keyStoreProblems[problem]}`,
      );
    },
  );

  test('lockstep doctor names an isolated source until a worker is bound to it, and a bound worker is no other worker', async () => {
    const { db } = api.database;
    const { crm } = testConfiguration.sources;
    const sources = { ...testConfiguration.sources, crm: { ...crm, isolated: true } };
    const { version } = await currentConfiguration(db);
    const document = configurationSchema.parse({ ...testConfiguration, sources });
    await applyConfiguration(db, document, version, 'test', accountRulesOf);
    const during = worker(1, () => ({ findings: [] }));
    const before = await lockstep(['doctor', 'crm'], { during });
    expect([before.code, before.stdout]).toEqual([
      1,
      expect.stringMatching(/✖ isolated .*LOCKSTEP_WORKER_SOURCES=crm/s),
    ]);
    await reportPresence(db, 'bound', { sources: ['crm'] });
    expect((await lockstep(['doctor', 'crm'], { during })).code).toBe(0);
    await removePresence(db, 'test');
    await presence('worker');
    await reportPresence(db, 'test');
    await removePresence(db, 'bound');
    await presence(null);
    await applyConfiguration(db, testConfiguration, version + 1, 'test', accountRulesOf);
  });

  test('lockstep doctor warns while a master key has no backup', async () => {
    const { db } = api.database;
    await reportPresence(db, 'test', { unsavedMasterKeys: ['key_1'] });
    const { code, stdout } = await lockstep(['doctor', 'crm'], {
      during: worker(1, () => ({ findings: [] })),
    });
    await reportPresence(db, 'test');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/! backup .*no backup of the master key key_1/),
    ]);
  });

  test('lockstep doctor reports that the API cannot read the public key of the signer', async () => {
    const file = path.join(api.dir, 'keys', SIGNER_PUBLIC_FILE);
    renameSync(file, `${file}.away`);
    // The user root, who may run this test, can read every file, but no folder as a file.
    mkdirSync(file);
    const { code, stdout } = await lockstep(['doctor', 'crm'], {
      during: worker(1, () => ({ findings: [] })),
    });
    rmdirSync(file);
    renameSync(`${file}.away`, file);
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/✖ sealing .*cannot read the public key of the signer/),
    ]);
  });

  test('lockstep doctor reports a missing worker immediately and requests no job', async () => {
    await api.database.db.deleteFrom('worker_presence').execute();
    await presence('worker');
    const { code, stdout } = await lockstep(['doctor']);
    expect([code, stdout]).toEqual([
      1,
      expect.stringContaining('✖ worker     No worker is running'),
    ]);
    expect(await claimJob(api.database.db, 1)).toBeNull();
  });
});
