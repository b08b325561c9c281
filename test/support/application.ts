import { readFileSync } from 'node:fs';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { Client } from 'pg';
import type { SqlEngine } from '../../connectors/sql/identifiers';
import { mariadbAdmin, postgresAdmin, unique } from '../connectors/sql-admin';
import { server } from './servers';

/** An application with tables of its own in a database of the run, its user, and that of a relay. */
export interface Application {
  readonly engine: SqlEngine;
  readonly schema: string;
  readonly relay: string;
  /** As administrator, with what a client of the engine does to a script. */
  script(sql: string): Promise<void>;
  /** As administrator. */
  ask(sql: string): Promise<Row[]>;
  /** Of the application, which has no rights but those that a test gives it. */
  readonly user: string;
  /** As that user, or as the relay. */
  connect(as?: 'user' | 'relay'): Promise<ApplicationSession>;
  /** The settings of an outbox: how the relay connects. */
  endpoint(port?: number): Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}

export type Row = Readonly<Record<string, unknown>>;

export interface ApplicationSession {
  /** Parameters are question marks. */
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

/** As the client of MySQL takes a script apart where it says `delimiter`. */
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
