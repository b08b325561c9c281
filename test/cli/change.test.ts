import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { startTestApi, type TestApi } from '../support/api';
import {
  addPerson,
  applyTestConfiguration,
  ended,
  planned,
  settled,
} from '../support/played-worker';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { changeOf } from './accepted';
import { lockstepAt, lockstep as lockstepIn, type Running, shown } from './run-cli';

const PASSWORD = 'correct horse battery staple';

describeWith(['postgres'], 'lockstep change', () => {
  let api: TestApi;
  let people = 0;
  const lockstep = lockstepAt(() => api);

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
  });
  afterAll(() => api.stop());

  async function person(sources?: readonly string[]): Promise<string> {
    const name = `person-${++people}`;
    await addPerson(api.database.db, name, sources);
    return name;
  }

  /** Does the worker's part while the command waits. */
  const worker = (identity: string, work: (id: string) => Promise<void>) => async () => {
    const id = await changeOf(api, identity);
    await planned(api.database.db, id, identity);
    await work(id);
  };

  test('lockstep change exits with 0 if every account holds the new password', async () => {
    const alice = await person();
    const { code, stdout } = await lockstep(['change', alice], {
      stdin: PASSWORD,
      during: worker(alice, async (id) => {
        await settled(api.database.db, id, 'directory');
        await settled(api.database.db, id, 'warehouse');
        await ended(api.database.db, id, { state: 'done', reason: null });
      }),
    });
    expect(code).toBe(0);
    expect(stdout).toBe(
      `✔ ${alice}: every account holds the new password (2 of 2)\n  ${await changeOf(api, alice)}\n`,
    );
  });

  describe('--dry-run', () => {
    const nothingStarted = async (identity: string) =>
      expect((await api.send('GET', `/v1/changes?identity=${identity}`)).body.changes).toEqual([]);

    test('lockstep change --dry-run shows which accounts would change, in which order and how they are verified, and starts nothing', async () => {
      const alice = await person();
      const { code, stdout } = await lockstep(['change', alice, '--dry-run']);
      expect(code).toBe(0);
      expect(stdout).toContain(`${alice}: a change would write 2 of 2 accounts\n`);
      expect(stdout).toContain('  one-password, policy staff, continue\n');
      expect(stdout).toMatch(
        /^1 {5}directory \(auth\) .* first; if it refuses.*; verified by a login$/m,
      );
      expect(stdout).toMatch(/^2 {5}warehouse .* after the auth account/m);
      await nothingStarted(alice);
    });

    test.each([
      ['too short', 1, '✖ The password would be refused:\n  Use at least 12 characters.\n'],
      [PASSWORD, 0, '✔ The password satisfies every policy.\n'],
    ])(
      'lockstep change --dry-run checks a given password without storing it: %s',
      async (word, expected, says) => {
        const alice = await person();
        const file = path.join(api.dir, 'candidate');
        writeFileSync(file, word);
        const { code, stdout } = await lockstep([
          'change',
          alice,
          '--dry-run',
          '--password-file',
          file,
        ]);
        expect([code, stdout]).toEqual([expected, expect.stringContaining(says)]);
        await nothingStarted(alice);
      },
    );
  });

  test('lockstep change exits with 3 if only some accounts hold the new password, with the reasons and the next steps', async () => {
    const alice = await person();
    const rejected = { state: 'rejected', reason: 'no_rights', vendorCode: '42501' } as const;
    const { code, stdout } = await lockstep(['change', alice], {
      stdin: PASSWORD,
      during: worker(alice, async (id) => {
        await settled(api.database.db, id, 'directory');
        await settled(api.database.db, id, 'warehouse', rejected);
        await ended(api.database.db, id, { state: 'partial', reason: null });
      }),
    });
    expect(code).toBe(3);
    expect(stdout).toContain('some accounts hold the new password, some do not (1 of 2)');
    expect(stdout).toContain('  warehouse: The service account of Lockstep may not set this');
    expect(stdout).toContain('(code 42501)');
    expect(stdout).toContain('Next:\n  lockstep doctor warehouse');
    expect(stdout).toContain(`  lockstep change ${alice}  start a new change`);
  });

  test('lockstep change exits with 1 if the auth account refuses, and shows the reason', async () => {
    const alice = await person();
    const rejected = { state: 'rejected', reason: 'policy_history', proof: 'none' } as const;
    const { code, stdout } = await lockstep(['change', alice], {
      stdin: PASSWORD,
      during: worker(alice, async (id) => {
        await settled(api.database.db, id, 'directory', rejected);
        await ended(api.database.db, id, { state: 'refused', reason: 'policy_history' });
      }),
    });
    expect(code).toBe(1);
    expect(stdout).toContain('the auth account was not changed, so nothing else was attempted');
    expect(stdout).toContain(
      'directory: The source rejects the password because it was used before.',
    );
  });

  test('lockstep change exits with 4 if the change does not end in time, and shows what it waits for', async () => {
    const alice = await person();
    const waiting = { state: 'waiting', reason: 'unreachable', nextTryInMs: 60_000 } as const;
    const { code, stdout } = await lockstep(['change', alice, '--wait', '2'], {
      stdin: PASSWORD,
      during: worker(alice, async (id) => {
        await settled(api.database.db, id, 'directory');
        await settled(api.database.db, id, 'warehouse', waiting);
      }),
    });
    expect(code).toBe(4);
    expect(stdout).toContain('  warehouse: The source cannot be reached.');
    expect(stdout).toContain(`lockstep status ${await changeOf(api, alice)} --watch`);
  });

  test('lockstep change --watch --wait and lockstep status --watch --wait end when the time is over', async () => {
    const alice = await person();
    const args = ['change', alice, '--watch', '--wait', '1'];
    expect((await lockstep(args, { stdin: PASSWORD })).code).toBe(4);
    expect((await lockstep(['status', 'last', '--watch', '--wait', '1'])).code).toBe(4);
  });

  test('lockstep status shows the newest change of a person, whose name may be in another case', async () => {
    const alice = await person();
    await lockstep(['change', alice, '--wait', '0'], { stdin: PASSWORD });
    const id = await changeOf(api, alice);
    for (const name of [alice, alice.toUpperCase()])
      expect((await lockstep(['status', name])).stdout).toContain(id);
    const { stdout } = await lockstep(['changes', '--identity', alice.toUpperCase()]);
    expect(stdout).toContain(id);
  });

  test('lockstep status and lockstep changes say that a person does not exist, or has no change', async () => {
    const alice = await person();
    for (const args of [['status'], ['changes', '--identity']]) {
      const unknown = await lockstep([...args, 'no-such-person']);
      expect([unknown.code, unknown.stderr]).toEqual([
        1,
        expect.stringContaining('There is no person "no-such-person"'),
      ]);
    }
    const { code, stderr } = await lockstep(['status', alice]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`no change of ${alice}`)]);
    expect((await lockstep(['changes', '--identity', alice])).stdout).toBe('No change matches.\n');
  });

  test('a cancelled change shows its own reason, and none of accounts that were not tried', async () => {
    const alice = await person();
    const untried = { state: 'not_attempted', reason: 'auth_unchanged', proof: 'none' } as const;
    const { stdout } = await lockstep(['change', alice], {
      stdin: PASSWORD,
      during: worker(alice, async (id) => {
        await settled(api.database.db, id, 'directory', { state: 'cancelled', reason: null });
        await settled(api.database.db, id, 'warehouse', untried);
        await ended(api.database.db, id, { state: 'cancelled', reason: null });
      }),
    });
    expect(stdout).not.toContain('auth account');
  });

  test('lockstep change exits with 1 and lists every rule that the password breaks', async () => {
    const alice = await person();
    const { code, stderr } = await lockstep(['change', alice], { stdin: alice });
    expect(code).toBe(1);
    expect(stderr).toContain('The password does not satisfy the policy of the group. ');
    expect(stderr).toContain('  Use at least 12 characters.\n');
    expect(stderr).toContain('  Do not use your own name');
  });

  test('two commands with the same idempotency key start one change', async () => {
    const alice = await person();
    const args = ['change', alice, '--wait', '0', '--idempotency-key', `once-${alice}`];
    const answers = [
      await lockstep(args, { stdin: PASSWORD }),
      await lockstep(args, { stdin: PASSWORD }),
    ];
    const ids = answers.map(({ stdout }) => /chg_\w+/.exec(stdout)?.[0]);
    expect(ids[0]).toBe(await changeOf(api, alice));
    expect(ids[1]).toBe(ids[0]);
    const other = await lockstep(args, { stdin: `${PASSWORD} 2` });
    expect([other.code, other.stderr]).toEqual([
      1,
      expect.stringContaining('was used for a different request'),
    ]);
  });

  test('lockstep change says after Ctrl-C that the change may be accepted, and how to find out', async () => {
    const alice = await person();
    const { code, stderr } = await lockstep(['change', alice], {
      stdin: PASSWORD,
      during: async (running) => {
        await changeOf(api, alice);
        running.interrupt();
      },
    });
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('The change may have been accepted'),
    ]);
    expect(stderr).toMatch(/--idempotency-key [\w-]{36}, which starts the change only once/);
  });

  test('lockstep change exits with 4 for a key that may start a change but not read it', async () => {
    const alice = await person();
    const LOCKSTEP_API_KEY = await api.newKey(['trigger']);
    const { code, stdout, stderr } = await lockstep(['change', alice, '--watch'], {
      stdin: PASSWORD,
      env: { LOCKSTEP_API_KEY },
    });
    expect([code, stdout]).toEqual([4, expect.stringContaining(await changeOf(api, alice))]);
    expect(stderr).toContain(
      'The change is accepted, but its progress cannot be shown: This API key does',
    );
  });

  test('lockstep change --watch without a terminal appends a line for each step, without colours', async () => {
    const alice = await person();
    const waiting = { state: 'waiting', reason: 'busy', nextTryInMs: 42_000 } as const;
    const { code, stdout } = await lockstep(['change', alice, '--watch'], {
      stdin: PASSWORD,
      during: async (running: Running) => {
        await worker(alice, async (id) => {
          await shown(running, 'not begun');
          await settled(api.database.db, id, 'directory');
          await shown(running, 'holds the new password, verified by a login');
          await settled(api.database.db, id, 'warehouse', waiting);
          await shown(running, 'waiting: busy, attempt 0, next attempt in 4');
          await settled(api.database.db, id, 'warehouse', { proof: 'none' });
          await shown(running, 'not verified');
          await ended(api.database.db, id, { state: 'done', reason: null });
        })();
      },
    });
    expect(code).toBe(0);
    const steps = stdout.split('\n').filter((line) => /^\d\d:\d\d:\d\d {2}/.test(line));
    expect(steps.map((line) => line.slice(10).replaceAll(alice, 'WHO'))).toEqual([
      'directory (auth)  WHO  not begun',
      'warehouse         WHO  not begun',
      'directory (auth)  WHO  holds the new password, verified by a login',
      expect.stringMatching(
        /^warehouse {8} WHO {2}waiting: busy, attempt 0, next attempt in 4\d s$/,
      ),
      'warehouse         WHO  holds the new password, not verified',
    ]);
    expect(stdout).not.toContain('\x1b');
  });

  test('lockstep change --watch survives a restart of the API', async () => {
    const first = await startTestApi();
    const { db } = first.database;
    await applyTestConfiguration(db);
    await addPerson(db, 'alice');
    const env = { LOCKSTEP_URL: first.url, LOCKSTEP_API_KEY: first.adminKey() };
    let second: TestApi | null = null;
    const { code, stderr, stdout } = await lockstepIn(['change', 'alice', '--watch'], {
      stdin: PASSWORD,
      env,
      during: async (running) => {
        const started = () => db.selectFrom('change').select('id').executeTakeFirst();
        await until(async () => (await started()) !== undefined);
        const { id = '' } = (await started()) ?? {};
        await planned(db, id, 'alice');
        await shown(running, 'not begun');
        await first.stopProcess();
        await shown(running, 'Reconnecting');
        const port = { LOCKSTEP_API_PORT: new URL(first.url).port };
        second = await startTestApi({ database: first.database, env: port, worker: false });
        await settled(db, id, 'directory');
        await settled(db, id, 'warehouse');
        await ended(db, id, { state: 'done', reason: null });
      },
    });
    await (second as TestApi | null)?.stop();
    expect([code, stderr.split('\n').filter((line) => /Reconnecting/.test(line)).length]).toEqual([
      0, 1,
    ]);
    expect(stdout).toContain('every account holds the new password (2 of 2)');
  });
});
