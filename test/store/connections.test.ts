import { sql } from 'kysely';
import { isAway } from '../../store/database';
import { type TestDatabase, testDatabase } from '../support/database';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

describeWith(['postgres'], 'a database connection', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.close());

  test('a connection that breaks between two queries ends neither the process nor the pool', async () => {
    const { db, pool } = database;
    const broken = db.connection().execute(async (connection) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(
        connection,
      );
      await pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
      await until(async () => {
        const { rowCount } = await pool.query('select from pg_stat_activity where pid = $1', [
          rows[0]?.pid,
        ]);
        return rowCount === 0;
      });
      await sql`select 1`.execute(connection);
    });
    await expect(broken.catch(isAway)).resolves.toBe(true);
    expect((await pool.query('select')).rowCount).toBe(1);
  });
});
