import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
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
  // Sequence numbers stay far below 2^53.
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8_OID
      ? Number
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** @param name shows in `pg_stat_activity` */
export function openDatabase(url: string, name: string, maxConnections = 10): OpenDatabase {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: name,
    max: maxConnections,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    statement_timeout: 30_000,
    types,
  });
  // A broken idle connection is thrown away by the pool; without a listener it would end the process.
  pool.on('error', (error) => log.warn('lost an idle database connection', { error }));
  // So would one that breaks while it is lent, between two queries: whoever has it is told by the next query.
  pool.on('connect', (client) => client.on('error', () => {}));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: preparing(pool) }) });
  return { db, pool, close: () => db.destroy() };
}

type Query = PostgresPoolClient['query'];

/** Statements that are put together as needed could be without number, and each connection keeps what it prepared. */
const MOST_PREPARED = 200;

/**
 * Gives each statement a name, so that PostgreSQL parses and plans it once a connection: that costs more than running one
 * of ours. What has no parameters, such as `begin` and the migrations, goes out as it is. A statement should name its
 * columns: one with `*` fails on a connection that is open when a migration adds one.
 */
function preparing(pool: pg.Pool): PostgresPool {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    if (!names.has(text) && names.size < MOST_PREPARED) names.set(text, `lockstep-${names.size}`);
    return names.get(text);
  };
  const named = (text: string, values: unknown[]): pg.QueryConfig => {
    const name = values.length === 0 ? undefined : nameOf(text);
    return name === undefined ? { text, values } : { name, text, values };
  };
  return {
    async connect() {
      const client = await pool.connect();
      const query = (text: string, values: readonly unknown[]) =>
        client.query(named(text, [...values]));
      // Kysely's other form of it, with a cursor, is for streams, which nobody uses here.
      return { query: query as unknown as Query, release: () => client.release() };
    },
    end: () => pool.end(),
  };
}

/** SQLSTATE classes and codes that mean "not now": connection lost, shutting down, too many connections. */
const AWAY = /^(08...|57P0[123]|53300|25006)$/;
const AWAY_NODE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'ENOENT',
]);

/** The driver has no codes for its own. */
const AWAY_MESSAGES =
  /connection terminated|connection ended|not queryable|timeout exceeded when trying to connect/i;

/** Whether the database cannot be used now, as opposed to having refused what we asked. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isAway);
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') return AWAY.test(code) || AWAY_NODE.has(code);
  return AWAY_MESSAGES.test(error.message);
}

export function isUniqueViolation(error: unknown, constraint: string): boolean {
  const found = error as { code?: unknown; constraint?: unknown };
  return found.code === '23505' && found.constraint === constraint;
}
