import { types as kinds } from 'node:util';
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient, sql } from 'kysely';
import pg from 'pg';
import { log } from '../log';
import type { Tables } from './tables';

export type Database = Kysely<Tables>;

export interface OpenDatabase {
  readonly db: Database;
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

const INT8_OID = 20;
const types: pg.CustomTypesConfig = {
  // PostgreSQL returns bigint as text. Our sequence numbers stay far below 2^53, so a number is exact.
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8_OID
      ? Number
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/**
 * Opens a pool of connections; it connects at the first query.
 * @param url a PostgreSQL URL, `postgres://…`
 * @param name the application name that `pg_stat_activity` shows
 * @param isPooled whether the URL leads to a pool in transaction mode, where each transaction may run on another
 *   connection: nothing is prepared or set for a connection there
 * @param answersWithinMs a database that takes longer to connect or to answer counts as away. By default it has five
 *   seconds to connect, and any time to answer: it ends a statement itself.
 */
export function openDatabase(
  url: string,
  name: string,
  maxConnections = 10,
  isPooled = false,
  answersWithinMs?: number,
): OpenDatabase {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: name,
    max: maxConnections,
    connectionTimeoutMillis: answersWithinMs ?? 5_000,
    query_timeout: answersWithinMs,
    idleTimeoutMillis: 60_000,
    ...(isPooled ? {} : { statement_timeout: 30_000 }),
    types,
  });
  // The pool replaces a broken idle connection. Without a listener the error would end the process.
  pool.on('error', (error) =>
    log.warn('an idle database connection was lost and is replaced', { error }),
  );
  // A connection that breaks while it is lent, between two queries, would end the process too. Its user gets the
  // error from the next query.
  pool.on('connect', (client) => client.on('error', () => {}));
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: lending(pool, isPooled ? unnamed : preparing()) }),
  });
  return { db, pool, close: () => db.destroy() };
}

type Query = PostgresPoolClient['query'];

/**
 * Upper limit of named statements: statements with optional parts could be of any number, and each connection keeps
 * all that it has prepared.
 */
const MAX_PREPARED = 200;

type Prepare = (text: string, values: unknown[]) => pg.QueryConfig;

const unnamed: Prepare = (text, values) => ({ text, values });

/**
 * Gives each statement a name, so that PostgreSQL parses and plans it once for each connection, which costs more than
 * running it. A statement without parameters, such as `begin` or a migration, is sent without a name. A statement
 * should list its columns: one with `*` fails on a connection that was open when a migration added a column.
 */
function preparing(): Prepare {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    if (!names.has(text) && names.size < MAX_PREPARED) names.set(text, `lockstep-${names.size}`);
    return names.get(text);
  };
  return (text, values) => {
    const name = values.length === 0 ? undefined : nameOf(text);
    return name === undefined ? { text, values } : { name, text, values };
  };
}

/**
 * Lends the connections of a pool. One whose query failed because the database is away is closed when it comes back: its
 * end may still be on the way, and the next query on it would fail.
 */
const lending = (pool: pg.Pool, prepare: Prepare): PostgresPool => ({
  async connect() {
    const client = await pool.connect();
    let isLost = false;
    const query = async (text: string, values: readonly unknown[]) => {
      try {
        return await client.query(prepare(text, [...values]));
      } catch (error) {
        isLost ||= isAway(error);
        throw error;
      }
    };
    // The other overload of `query`, with a cursor, is for streams, which Lockstep does not use.
    return { query: query as unknown as Query, release: () => client.release(isLost) };
  },
  end: () => pool.end(),
});

/**
 * A column that lets the transaction of its statement end without waiting for the disk. A crash of the database may undo
 * the transaction, and then every transaction that ended later, too; one that does wait makes all before it durable
 * (decision 0021). Only for a statement that is repeated after such a loss without any harm.
 */
export const withoutSync = sql`(select set_config('synchronous_commit', 'off', true))`;

/** Runs `work` in the transaction that `db` is, or else in a new one. */
export const withTransaction = <T>(
  db: Database,
  work: (trx: Database) => Promise<T>,
): Promise<T> => (db.isTransaction ? work(db) : db.transaction().execute(work));

/**
 * SQLSTATE codes of a database that is temporarily unavailable: connection lost, starting up or shutting down, short of
 * a resource (class 53: disk full, out of memory, too many connections), failed to read or write its disk, read-only
 * standby.
 */
const AWAY = /^(08...|53...|57P0[1235]|58030|25006)$/;
const AWAY_NODE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);

/** Errors of the driver itself, which have no code. */
const AWAY_MESSAGES =
  /connection terminated|connection ended|not queryable|timeout exceeded when trying to connect|query read timeout/i;

/** Whether an error means that the database is temporarily unavailable, and not that it rejected a statement. */
export function isAway(error: unknown): boolean {
  // Where several realms run in one process, as in tests, an error of Node is no instance of the `Error` here.
  if (!kinds.isNativeError(error)) return false;
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.some(isAway);
  const { code, syscall } = error as NodeJS.ErrnoException;
  // A certificate file that is missing is not a server that is away.
  if (syscall === 'open') return false;
  if (typeof code === 'string') return AWAY.test(code) || AWAY_NODE.has(code);
  return AWAY_MESSAGES.test(error.message);
}

/** Whether an error is the violation of this unique constraint or index. */
export function isUniqueViolation(error: unknown, constraint: string): boolean {
  const violation = error as { code?: unknown; constraint?: unknown };
  return violation.code === '23505' && violation.constraint === constraint;
}
