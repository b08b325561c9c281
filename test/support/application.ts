import { readFileSync } from 'node:fs';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { Client } from 'pg';
import type { SqlEngine } from '../../connectors/sql/identifiers';
import { mariadbAdmin, postgresAdmin, unique } from '../connectors/sql-admin';
import { server } from './servers';

/** An application with its own tables in a test database, with a database user for it and one for a relay. */
export interface Application {
  readonly engine: SqlEngine;
  readonly schema: string;
  readonly relay: string;
  /** Runs a script as administrator, split into statements as the client of the engine does. */
  script(sql: string): Promise<void>;
  /** Runs a query as administrator. */
  ask(sql: string): Promise<Row[]>;
  /** User of the application, which has only the rights that a test grants. */
  readonly user: string;
  /** Opens a session as that user or as the relay. */
  connect(as?: 'user' | 'relay'): Promise<ApplicationSession>;
  /** The connection settings of an outbox. */
  endpoint(port?: number): Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}

export type Row = Readonly<Record<string, unknown>>;

export interface ApplicationSession {
  /** Runs a statement whose parameters are written as question marks. */
  run(sql: string, values?: readonly (string | null)[]): Promise<Row[]>;
  end(): Promise<void>;
}

export const RELAY_PASSWORD = 'Of the relay at the database';
const USER_PASSWORD = 'Of the application';

export const applications = { postgres: onPostgres, mysql: onMariadb } as const;

const credentialsOf = (
  names: Readonly<Record<'user' | 'relay', string>>,
  as: 'user' | 'relay',
) => ({
  user: names[as],
  password: as === 'user' ? USER_PASSWORD : RELAY_PASSWORD,
});

const endpointOf = (facts: Readonly<Record<string, string>>, port: number | undefined) => ({
  host: '127.0.0.1',
  port: port ?? Number(facts.port),
  serverName: 'localhost',
  ca: facts.caFile,
  password: '${file:relay}',
  timeoutMs: 4_000,
});

async function onPostgres(): Promise<Application> {
  const admin = await postgresAdmin();
  const [user, relay] = [unique('application'), unique('relay')];
  const database = admin.database ?? '';
  await admin.query(`
    create role ${user} login password '${USER_PASSWORD}';
    create role ${relay} login password '${RELAY_PASSWORD}';
    create schema app; grant usage on schema app to ${user}`);
  const { caFile = '', port } = server('postgres');
  return {
    ...{ engine: 'postgres', schema: 'app', relay, user },
    script: async (sql) => {
      await admin.query(sql);
    },
    ask: async (sql) => (await admin.query(sql)).rows,
    async connect(as = 'user') {
      const ssl = { ca: readFileSync(caFile), servername: 'localhost' };
      const credentials = { ...credentialsOf({ user, relay }, as), database };
      const client = new Client({ host: '127.0.0.1', port: Number(port), ...credentials, ssl });
      await client.connect();
      return {
        run: async (sql, values = []) => {
          let n = 0;
          return (
            await client.query(
              sql.replaceAll('?', () => `$${++n}`),
              [...values],
            )
          ).rows;
        },
        end: () => client.end(),
      };
    },
    endpoint: (port) => ({
      ...endpointOf(server('postgres'), port),
      ...{ engine: 'postgres', user: relay, database },
    }),
    close: () => admin.end(),
  };
}

async function onMariadb(): Promise<Application> {
  const admin = await mariadbAdmin();
  const [user, relay] = [unique('application'), unique('relay')];
  const [[found]] = await admin.query<RowDataPacket[]>('select database() as name');
  const database: string = found?.name;
  await admin.query(`
    create user ${user} identified by '${USER_PASSWORD}';
    create user ${relay} identified by '${RELAY_PASSWORD}'`);
  const { caFile = '', port } = server('mariadb');
  return {
    ...{ engine: 'mysql', schema: database, relay, user },
    async script(sql) {
      for (const statements of delimited(sql)) await admin.query(statements);
    },
    ask: async (sql) => (await admin.query<RowDataPacket[]>(sql))[0],
    async connect(as = 'user') {
      const ssl = { ca: readFileSync(caFile, 'utf8'), verifyIdentity: true };
      const credentials = credentialsOf({ user, relay }, as);
      const connection = await createConnection({
        ...{ host: '127.0.0.1', port: Number(port), ...credentials, ssl },
      });
      return {
        run: async (sql, values = []) =>
          (await connection.query<RowDataPacket[]>(sql, [...values]))[0],
        end: () => connection.end(),
      };
    },
    endpoint: (port) => ({
      ...endpointOf(server('mariadb'), port),
      ...{ engine: 'mysql', user: relay, database },
    }),
    close: () => admin.end(),
  };
}

/** Splits a script into statements at its `delimiter` commands, as the client of MySQL does. */
function delimited(script: string): string[] {
  const [before = '', ...changed] = script.split(/^delimiter /m);
  const parts = changed.flatMap((part) => {
    const end = part.indexOf('\n');
    const delimiter = end < 0 ? part : part.slice(0, end);
    const body = end < 0 ? '' : part.slice(end + 1);
    return delimiter === ';' ? [body] : body.split(`${delimiter}\n`);
  });
  const isStatement = (part: string) =>
    part.replaceAll(/^--.*$|\/\*[\s\S]*?\*\//gm, '').trim() !== '';
  return [before, ...parts].filter(isStatement);
}
