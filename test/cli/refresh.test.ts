import type { Refresh } from '../../model/api/job-results';
import { claimJob, finishJob, keepJob, reportProgress, requestJob } from '../../store/sources/jobs';
import { startTestApi, type TestApi } from '../support/api';
import { applyTestConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { lockstepAt } from './run-cli';

const nothing = { count: 0, first: [] };
const result: Refresh = {
  ...{ preview: false, read: 5000, linked: 0, alreadyLinked: 4000, peopleAdded: 0 },
  ...{ peopleUpdated: 2, leavers: nothing, unlinked: nothing, suspicious: true },
  ...{ unmatched: nothing, ambiguous: nothing, unreadable: nothing, reports: [], failed: null },
};

describeWith(['postgres'], 'lockstep refresh', () => {
  let api: TestApi;
  const run = lockstepAt(() => api);
  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
  });
  afterAll(() => api.stop());

  test('a refresh that takes long shows its progress while the command waits, and in the list of sources', async () => {
    const { db } = api.database;
    const refreshed = await run(['refresh', 'warehouse', '--wait', '60'], {
      during: async ({ printed }) => {
        let id = '';
        await until(async () => {
          id ||= (await claimJob(db, 60))?.id ?? '';
          return id !== '';
        });
        const progress = { step: 'reading', done: 1500, total: null, perSecond: 300.5 } as const;
        await reportProgress(db, id, progress);
        await until(() => printed().includes('warehouse: 1500 accounts read, 300.5 per second'));
        const { stdout } = await run(['sources']);
        expect(stdout).toMatch(/warehouse .* now: 1500 accounts read/);
        await finishJob(db, id, 'done', result);
      },
    });
    expect(refreshed.stdout).toContain('  2 people got new attributes\n');
    expect(refreshed.stdout).toContain('Nothing was unlinked.');
    expect((await run(['sources'])).stdout).toMatch(/warehouse .* \d+ s ago/);
  });

  test('a refresh stays with its worker as long as the worker extends the lease', async () => {
    const { db } = api.database;
    const wanted = { source: 'warehouse', parameters: {}, requestedBy: 'test' };
    const id = await requestJob(db, { kind: 'refresh', ...wanted });
    expect(await claimJob(db, -1)).toMatchObject({ id });
    await keepJob(db, id, 60);
    expect(await claimJob(db, 60)).toBeNull();
    await keepJob(db, id, -1);
    expect(await claimJob(db, 60)).toMatchObject({ id });
    await finishJob(db, id, 'done', result);
  });
});
