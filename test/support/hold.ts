import { Client } from 'pg';
import { until } from './until';

/** Rows of a PostgreSQL that somebody else works on: a statement that wants to write them waits, on the server. */
export interface Hold {
  /** Resolves when somebody waits for the rows. */
  awaited(): Promise<void>;
  /** Whoever waits goes on, also where the client that sent the statement is gone by now. */
  release(): Promise<void>;
}

/** @param query names the rows, such as `select from staff where login = $1` */
export async function holdRows(
  url: string,
  query: string,
  values: readonly string[],
): Promise<Hold> {
  const client = new Client({ connectionString: url });
  // Its server may be killed meanwhile, which lets go too.
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
