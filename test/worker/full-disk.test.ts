import { chownSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { NOBODY } from '../../local/places';
import { type OpenDatabase, openDatabase } from '../../store/database';
import { holders, newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { mountSmallDisk, noSmallDisk, type SmallDisk } from '../support/small-disk';
import { until } from '../support/until';
import { workerSuite } from '../support/worker-suite';

/** SQLSTATE of `deadlock_detected`. */
const DEADLOCK = '40P01';

const describeOnSmallDisk =
  noSmallDisk === null
    ? describeWith
    : (_names: readonly string[], title: string, suite: () => void) =>
        describe.skip(`${title} (skipped: ${noSmallDisk})`, suite);

describeOnSmallDisk(
  ['slapd', 'postgres', 'temporal', 'workflows'],
  'a database whose disk is full',
  () => {
    const suite = workerSuite();
    let disk: SmallDisk;
    let own: OpenDatabase;
    const query = (text: string) => own.pool.query(text);
    const moveTables = async (from: string, to: string) => {
      for (const kind of ['table', 'index'])
        await until(() =>
          query(`alter ${kind} all in tablespace ${from} set tablespace ${to}`).then(
            () => true,
            // The worker locks the same tables in another order.
            (error: { code?: unknown }) => {
              if (error.code === DEADLOCK) return false;
              throw error;
            },
          ),
        );
    };

    beforeAll(async () => {
      own = openDatabase(suite.lockstep.database.url, 'lockstep test', 1);
      disk = mountSmallDisk(16);
      const location = path.join(disk.dir, 'tables');
      mkdirSync(location, { mode: 0o700 });
      chownSync(location, NOBODY.uid, NOBODY.gid);
      await query(`create tablespace small location '${location}'`);
      await moveTables('pg_default', 'small');
    });
    afterAll(async () => {
      await moveTables('small', 'pg_default');
      await query('drop tablespace small');
      await own.close();
      disk.remove();
    });

    test('every change that was accepted ends once there is room again, and the others were answered with 503', async () => {
      const api = await suite.startApi();
      const key = await api.newKey(['trigger']);
      const { person, accounts } = await suite.addPerson('directory', 'apps');
      const accepted: { id: string; password: string }[] = [];
      const refused: unknown[][] = [];
      const send = async () => {
        const password = newPassword();
        const answer = await api.send('POST', '/v1/changes', {
          key,
          body: { identity: person, password },
        });
        if (answer.status === 202) accepted.push({ id: String(answer.body.id), password });
        else refused.push([answer.status, answer.body.code, answer.headers.get('retry-after')]);
        return answer.status;
      };
      await send();
      disk.fill();
      while (refused.length < 20) await send();
      expect(new Set(refused.map(String))).toEqual(new Set(['503,database_away,5']));
      const log = api.printed();
      expect(log).not.toContain('a request failed');

      disk.makeRoom();
      await until(async () => (await send()) === 202);
      // A newer change may replace an older one between its two accounts, which then ends as partial.
      for (const { id } of accepted)
        expect(['done', 'partial', 'superseded']).toContain(
          (await suite.lockstep.readEnd(id)).state,
        );
      expect((await suite.lockstep.readEnd(accepted.at(-1)?.id ?? '')).state).toBe('done');
      expect(await holders(accounts, accepted.at(-1)?.password ?? '')).toEqual([true, true]);
      const { rows } = await query('select count(*)::int as changes from change');
      expect(rows).toEqual([{ changes: accepted.length }]);
    }, 120_000);
  },
);
