import { Client } from 'pg';
import { until } from './until';

/** Locked rows of a PostgreSQL database: a statement that writes them waits on the server. */
export interface Hold {
  /** Resolves when a session waits for the rows. */
  awaited(): Promise<void>;
  /** Unlocks the rows. A waiting statement continues, even if the client that sent it is gone. */
  release(): Promise<void>;
}

/** Locks rows. @param query query for the rows, such as `select from staff where login = $1` */
export async function holdRows(
  url: string,
  query: string,
  values: readonly string[],
): Promise<Hold> {
  const client = new Client({ connectionString: url });
  // The test may kill the server, which also unlocks the rows.
  client.on('error', () => {});
  await client.connect();
  await client.query('begin');
  await client.query(`${query} for update`, [...values]);
  return {
    awaited: () =>
      until(async () => {
        const waiting = await client.query(
          'select from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid))',
        );
        return waiting.rowCount !== 0;
      }),
    release: () => client.end().catch(() => {}),
  };
}
