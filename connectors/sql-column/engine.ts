import type { ConnectorTools } from '../contract';
import type { Reasons, SqlFailure } from '../sql/failures';
import { quoted } from '../sql/identifiers';
import { connectMysql, mysqlFailure } from '../sql/mysql';
import { connectPostgres, postgresFailure } from '../sql/postgres';
import { type ServiceSessions, serviceSessions } from '../sql/service';
import type { SqlSession } from '../sql/sessions';
import type { SqlColumnSettings } from './settings';

/** What differs between the two engines, and no more. */
export interface Dialect {
  readonly quote: (identifier: string) => string;
  /** The n-th parameter, from 1 on; each is used once, in this order. */
  readonly parameter: (n: number) => string;
  /** A column, of whatever type, as text. */
  readonly text: (column: string) => string;
  /** Exact equality with the n-th parameter, which is also the next one: an index serves the first of the two. */
  readonly equals: (column: string, n: number) => string;
  /** A timestamp column as milliseconds since 1970. */
  readonly epochMs: (column: string) => string;
  /** Begins a transaction that does not wait for a lock beyond our time. */
  readonly begin: (timeoutMs: number) => string;
  readonly currentSchema: string;
  /** A query over the place of a column: has a row when that column alone has a unique index. */
  readonly uniqueIndex: (place: ColumnPlace) => string;
}

/** Where a column is, each as an SQL expression, to be used once and in this order. */
export interface ColumnPlace {
  readonly table: string;
  readonly schema: string;
  readonly column: string;
}

export interface Engine extends ServiceSessions {
  readonly dialect: Dialect;
  readonly failureOf: (error: unknown) => SqlFailure;
}

const dialects: Readonly<Record<SqlColumnSettings['engine'], Dialect>> = {
  postgres: {
    quote: quoted.postgres,
    parameter: (n) => `$${n}`,
    text: (column) => `${column}::text`,
    equals: (column, n) => `${column} = $${n} and ${column}::text = $${n + 1}`,
    // A timestamp without time zone is meant as the session writes it.
    epochMs: (column) => `(extract(epoch from ${column}::timestamptz) * 1000)::bigint`,
    begin: (timeoutMs) =>
      `begin; set local statement_timeout = ${timeoutMs}; set local lock_timeout = ${Math.ceil(timeoutMs / 2)}`,
    currentSchema: 'current_schema()',
    uniqueIndex: ({ schema, table, column }) => `
      select 1 from pg_catalog.pg_index
      join pg_catalog.pg_class on pg_class.oid = indrelid
      join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
      join pg_catalog.pg_attribute on attrelid = indrelid and attnum = indkey[0]
      where relname = ${table} and nspname = ${schema} and attname = ${column}
        and indisunique and indisvalid and indnkeyatts = 1 and indpred is null`,
  },
  mysql: {
    quote: quoted.mysql,
    parameter: () => '?',
    text: (column) => `convert(${column} using utf8mb4)`,
    // Most collations take upper case for lower, and spaces at the end for nothing.
    equals: (column) =>
      `${column} = ? and cast(convert(${column} using utf8mb4) as binary) = cast(? as binary)`,
    epochMs: (column) => `cast(floor(unix_timestamp(${column}) * 1000) as char)`,
    begin: () => 'start transaction',
    currentSchema: 'database()',
    uniqueIndex: ({ schema, table, column }) => `
      select 1 from information_schema.statistics
      where table_name = ${table} and non_unique = 0 and table_schema = ${schema}
      group by index_name having count(*) = 1 and max(column_name) = ${column}`,
  },
};

/** What an SQLSTATE of PostgreSQL means for our statements about rows. */
const ofRows: Reasons = {
  // Syntax, or an object that is not there.
  '42': 'not_supported',
  '3F': 'not_supported',
  // Of data: the hash does not fit its column.
  '22001': 'not_supported',
  '22003': 'no_account',
  // A constraint, or a trigger that raises an exception.
  '23': 'policy',
  P0001: 'policy',
};

/** Loads the driver, which nobody else on this machine may need. */
export async function openEngine(
  settings: SqlColumnSettings,
  tools: ConnectorTools,
): Promise<Engine> {
  const engine = (
    connect: (password: string, signal: AbortSignal) => Promise<SqlSession>,
    failureOf: Engine['failureOf'],
  ): Engine => ({
    dialect: dialects[settings.engine],
    ...serviceSessions(settings, tools, failureOf, connect),
    failureOf,
  });
  if (settings.engine === 'postgres') {
    const driver = await import('pg');
    return engine(
      (password, signal) => connectPostgres(driver, settings, password, signal),
      (error) => postgresFailure(error, ofRows),
    );
  }
  const driver = await import('mysql2');
  return engine(
    (password, signal) => connectMysql(driver, settings, password, signal),
    mysqlFailure,
  );
}
