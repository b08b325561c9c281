import type { Endpoint } from '../../../connectors/sql/endpoint';
import type { Reasons, SqlFailure } from '../../../connectors/sql/failures';
import { quoted } from '../../../connectors/sql/identifiers';
import { connectMysql, mysqlFailure } from '../../../connectors/sql/mysql';
import { connectPostgres, type PgDriver, postgresFailure } from '../../../connectors/sql/postgres';
import { serviceSessions } from '../../../connectors/sql/service';
import { before, type Sessions, type SqlSession } from '../../../connectors/sql/sessions';
import { type PollerTools, REFUSED_FOR_MS } from '../poller';
import type { OutboxSettings } from './settings';

/** The SQL that differs between the two engines. */
interface Dialect {
  /** The n-th parameter (from 1) as a number. Each parameter is used once, in order. */
  readonly number: (n: number) => string;
  /** An expression as text. */
  readonly text: (expression: string) => string;
  /** `changed_at` in microseconds since 1970. */
  readonly changedAtUs: string;
  /** The current time, in the type of `changed_at`. */
  readonly now: string;
  readonly daysAgo: (days: number) => string;
}

export interface Engine {
  readonly dialect: Dialect;
  readonly sessions: Sessions;
  readonly failureOf: (error: unknown) => SqlFailure;
}

const dialects: Readonly<Record<OutboxSettings['engine'], Dialect>> = {
  postgres: {
    number: (n) => `$${n}::bigint`,
    text: (expression) => `(${expression})::text`,
    changedAtUs: '(extract(epoch from changed_at) * 1000000)::bigint',
    now: 'now()',
    daysAgo: (days) => `now() - interval '${days} days'`,
  },
  mysql: {
    number: () => 'cast(? as signed)',
    // The driver would return a JavaScript number, which cannot hold every bigint.
    text: (expression) => `cast(${expression} as char)`,
    changedAtUs: "timestampdiff(microsecond, '1970-01-01', changed_at)",
    now: 'utc_timestamp(6)',
    daysAgo: (days) => `utc_timestamp(6) - interval ${days} day`,
  },
};

/**
 * Opens the database of an outbox over one connection, which in PostgreSQL also listens for notifications of the trigger. Only
 * the driver of the chosen engine is loaded.
 */
export async function openEngine(settings: OutboxSettings, given: PollerTools): Promise<Engine> {
  const tools = { ...given, refusedForMs: REFUSED_FOR_MS };
  const endpoint = { ...settings, poolSize: 1 };
  const dialect = dialects[settings.engine];
  if (settings.engine === 'postgres') {
    const driver = await import('pg');
    const failureOf = (error: unknown) => postgresFailure(error, ofOutbox);
    const { sessions } = serviceSessions(endpoint, tools, failureOf, (password, signal) =>
      listening(driver, endpoint, settings.table, password, signal, tools.wake),
    );
    return { dialect, sessions, failureOf };
  }
  const driver = await import('mysql2');
  const { sessions } = serviceSessions(endpoint, tools, mysqlFailure, (password, signal) =>
    connectMysql(driver, endpoint, password, signal),
  );
  return { dialect, sessions, failureOf: mysqlFailure };
}

async function listening(
  driver: PgDriver,
  endpoint: Endpoint,
  channel: string,
  password: string,
  signal: AbortSignal,
  wake: () => void,
): Promise<SqlSession> {
  const session = await connectPostgres(driver, endpoint, password, signal);
  session.onNotification(wake);
  const settle = `set statement_timeout = ${endpoint.timeoutMs}; listen ${quoted.postgres(channel)}`;
  try {
    await before(signal, session.query(settle));
    return session;
  } catch (error) {
    session.destroy();
    throw error;
  }
}

/** SQLSTATE classes of PostgreSQL for a statement with a syntax error or a missing object. */
const ofOutbox: Reasons = { '42': 'not_supported', '3F': 'not_supported' };
