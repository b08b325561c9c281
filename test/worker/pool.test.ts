import type { Temporal } from '../../local/temporal';
import { openDatabase } from '../../store/database';
import { startTestApi, type TestApi } from '../support/api';
import { type Company, startCompany } from '../support/company';
import { testDatabase } from '../support/database';
import { startEngine } from '../support/engine';
import { type Lockstep, startLockstep } from '../support/lockstep';
import { addSomebody, holders, newPassword } from '../support/people';
import { noPgBouncer, startPgBouncer } from '../support/pgbouncer';
import { describeWith } from '../support/servers';
import { companyDocument } from '../support/worker-suite';

const describeWithPool =
  noPgBouncer === null
    ? describeWith
    : (_names: readonly string[], title: string, suite: () => void) =>
        describe.skip(`${title} (skipped: ${noPgBouncer})`, suite);

describeWithPool(
  ['slapd', 'postgres', 'temporal', 'workflows'],
  'api and worker behind a connection pool',
  () => {
    let engine: Temporal;
    let company: Company;
    beforeAll(async () => {
      [engine, company] = await Promise.all([startEngine(), startCompany()]);
    });
    afterAll(async () => {
      await company.stop();
      await engine.stop();
    });

    /** A database that is reached through a pool. Notifications come from the database itself where `direct` says so. */
    async function pooled(mode: 'transaction' | 'session') {
      const own = await testDatabase();
      await own.close();
      const isShared = mode === 'transaction';
      const further = isShared ? [] : ['ignore_startup_parameters = statement_timeout'];
      const pool = await startPgBouncer(own.url, mode, [
        ...further,
        ...(isShared ? [] : ['default_pool_size = 60']),
      ]);
      const listenUrl = isShared ? own.url : pool.url;
      const database = { url: listenUrl, ...openDatabase(pool.url, 'lockstep test', 5, isShared) };
      const env = { DATABASE_URL: pool.url, ...(isShared && { DATABASE_DIRECT_URL: own.url }) };
      return { pool, database, env };
    }

    test.each(['transaction', 'session'] as const)(
      'changes reach every account, and clients are notified, through a pool in %s mode',
      async (mode) => {
        const { pool, database, env } = await pooled(mode);
        const stops: { stop(): Promise<void> }[] = [pool];
        try {
          const lockstep: Lockstep = await startLockstep(engine, { database });
          stops.unshift(lockstep);
          await lockstep.configure(companyDocument(company));
          lockstep.startWorker();
          const { keyDir } = lockstep;
          const api: TestApi = await startTestApi({ database, keyDir, env });
          stops.unshift({ stop: () => api.stopProcess() });
          const key = await api.newKey(['trigger']);
          const { person, accounts } = await addSomebody(lockstep, company, 'directory', 'apps');
          for (let round = 0; round < 5; round++) {
            const password = newPassword();
            const answer = await api.send('POST', '/v1/changes', {
              key,
              body: { identity: person, password },
              headers: { prefer: 'wait=30' },
            });
            expect(answer).toMatchObject({ status: 200, body: { state: 'done' } });
            expect(await holders(accounts, password)).toEqual([true, true]);
          }
        } finally {
          for (const one of stops) await one.stop();
        }
      },
      120_000,
    );
  },
);
