import { finishJob } from '../../store/sources/jobs';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { lockstepAt } from './run-cli';

describeWith(['postgres'], 'unlock and force-change on the command line', () => {
  let api: TestApi;
  const lockstep = lockstepAt(() => api);

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'ada.marsh', ['directory', 'warehouse']);
  });
  afterAll(() => api.stop());

  /** Answers each job as a worker would, by its source. */
  async function answering(answers: Readonly<Record<string, object>>): Promise<void> {
    const { db } = api.database;
    const open = () =>
      db.selectFrom('job').select(['id', 'source']).where('finished_at', 'is', null).execute();
    await until(async () => (await open()).length === Object.keys(answers).length);
    for (const { id, source } of await open())
      await finishJob(db, id, 'done', answers[String(source)]);
  }
  const run = (action: string, answers: Readonly<Record<string, object>>) =>
    lockstep(['identities', action, 'ada.marsh', '--reason', 'ticket 4711'], {
      during: () => answering(answers),
    });
  const done = { result: 'done', reason: null, vendorCode: null };
  const failed = (reason: string) => ({ result: 'failed', reason, vendorCode: null });

  test('lockstep identities unlock shows what became of each account, and a source that cannot do it is no failure', async () => {
    const { code, stdout } = await run('unlock', {
      directory: done,
      warehouse: failed('not_supported'),
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^directory +ada\.marsh +The account is unlocked\.$/m);
    expect(stdout).toMatch(/^warehouse +ada\.marsh +The source cannot do this/m);
  });

  test('lockstep identities force-change ends with its own exit code if an account could not be reached', async () => {
    const reached = await run('force-change', {
      directory: done,
      warehouse: failed('unreachable'),
    });
    expect([reached.code, reached.stdout]).toEqual([
      3,
      expect.stringContaining('The person must change the password at the next login.'),
    ]);
    const none = await run('force-change', {
      directory: failed('no_rights'),
      warehouse: failed('no_rights'),
    });
    expect([none.code, none.stdout]).toEqual([1, expect.stringContaining('connectors.md')]);
  });

  test('lockstep identities unlock says when no worker has carried it out, and needs a reason', async () => {
    const late = await lockstep([
      ...['identities', 'unlock', 'ada.marsh', '--source', 'directory'],
      ...['--reason', 'x', '--wait', '0'],
    ]);
    expect([late.code, late.stdout]).toEqual([
      4,
      expect.stringContaining('No worker has carried this out yet.'),
    ]);
    expect((await lockstep(['identities', 'unlock', 'ada.marsh'])).code).toBe(2);
    const unknown = await lockstep(['identities', 'unlock', 'unknown.person', '--reason', 'x']);
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      expect.stringContaining('There is no person unknown.person'),
    ]);
  });

  test('lockstep identities one-time-link prints a link on stdout, and needs a check of the caller', async () => {
    const link = ['identities', 'one-time-link', 'ada.marsh', '--reason', 'ticket 4711'];
    const { code, stdout, stderr } = await lockstep([...link, '--check', 'called-back']);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/password\/link#(\w{4}-){3}\w{4}\n$/),
    ]);
    expect(stderr).toContain('The link works once');
    expect((await lockstep(link)).code).toBe(2);
    expect((await lockstep([...link, '--check', 'a feeling'])).code).toBe(2);
  });
});
