import type { ConnectorTools } from '../contract';
import type { Reasons, SqlFailure } from '../sql/failures';
import { quoted } from '../sql/identifiers';
import { connectMysql, mysqlFailure } from '../sql/mysql';
import { connectPostgres, postgresFailure } from '../sql/postgres';
import { type ServiceSessions, serviceSessions } from '../sql/service';
import type { SqlSession } from '../sql/sessions';
import type { SqlColumnSettings } from './settings';

/** What differs between PostgreSQL and MySQL in SQL. */
export interface Dialect {
  readonly quote: (identifier: string) => string;
  /** Placeholder of the n-th parameter, counted from 1. A statement uses each parameter once, in this order. */
  readonly parameter: (n: number) => string;
  /** Converts a column of any type to text. */
  readonly text: (column: string) => string;
  /**
   * Compares a column exactly with the parameters n and n + 1, which must have the same value. The first comparison can
   * use an index, the second one is exact.
   */
  readonly equals: (column: string, n: number) => string;
  /** Converts a timestamp column to milliseconds since 1970. */
  readonly epochMs: (column: string) => string;
  /** Begins a transaction that does not wait for a lock longer than the time limit of the call. */
  readonly begin: (timeoutMs: number) => string;
  readonly currentSchema: string;
  /** A query whose column `ignores` is `t` if the collation of the column ignores case. */
  readonly ignoresCase: (place: ColumnPlace) => string;
  /** A query that returns a row if the column has a unique index of its own. */
  readonly uniqueIndex: (place: ColumnPlace) => string;
}

/** The place of a column, as SQL expressions. A statement uses each of them once, in this order. */
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
    // A timestamp without time zone is read in the time zone of the session.
    epochMs: (column) => `(extract(epoch from ${column}::timestamptz) * 1000)::bigint`,
    begin: (timeoutMs) =>
      `begin; set local statement_timeout = ${timeoutMs}; set local lock_timeout = ${Math.ceil(timeoutMs / 2)}`,
    currentSchema: 'current_schema()',
    // A collation of ICU that is not deterministic can treat different texts as equal. citext is a type that ignores case.
    ignoresCase: ({ schema, table, column }) => `
      select case when typname = 'citext' or not coalesce(collisdeterministic, true)
        then 't' else 'f' end as ignores
      from pg_catalog.pg_attribute
      join pg_catalog.pg_class on pg_class.oid = attrelid
      join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
      join pg_catalog.pg_type on pg_type.oid = atttypid
      left join pg_catalog.pg_collation on pg_collation.oid = attcollation
      where relname = ${table} and nspname = ${schema} and attname = ${column}`,
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
    // Most collations ignore case and trailing spaces.
    equals: (column) =>
      `${column} = ? and cast(convert(${column} using utf8mb4) as binary) = cast(? as binary)`,
    epochMs: (column) => `cast(floor(unix_timestamp(${column}) * 1000) as char)`,
    begin: () => 'start transaction',
    currentSchema: 'database()',
    ignoresCase: ({ schema, table, column }) => `
      select case when collation_name like '%!_ci' escape '!' then 't' else 'f' end as ignores
      from information_schema.columns
      where table_name = ${table} and table_schema = ${schema} and column_name = ${column}`,
    uniqueIndex: ({ schema, table, column }) => `
      select 1 from information_schema.statistics
      where table_name = ${table} and non_unique = 0 and table_schema = ${schema}
      group by index_name having count(*) = 1 and max(column_name) = ${column}`,
  },
};

/** Meanings of SQLSTATEs of PostgreSQL for our statements on rows. */
const ofRows: Reasons = {
  // A syntax error, or a missing object.
  '42': 'not_supported',
  '3F': 'not_supported',
  // The hash does not fit the column.
  '22001': 'not_supported',
  '22003': 'no_account',
  // A constraint rejects the value, or a trigger raises an exception.
  '23': 'policy',
  P0001: 'policy',
};

/** Loads the driver of the engine at its first use. */
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
