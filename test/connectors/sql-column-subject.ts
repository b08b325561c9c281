import { createHash, randomBytes } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Client } from 'pg';
import { server } from '../support/servers';
import { because, type Subject, type TestAccount } from './conformance/subject';
import { mysqlRequests, postgresRequests } from './recorders';
import {
  mariadbAdmin,
  mariadbAgreesToTls,
  postgresAdmin,
  postgresAgreesToTls,
  unique,
} from './sql-admin';

const SERVICE_PASSWORD = 'Of the service account';

/** The table of an application on one engine, used by the administrator of the database. */
export interface Table {
  readonly engine: 'postgres' | 'mysql';
  readonly disabledValues: readonly string[];
  open(): Promise<void>;
  close(): Promise<void>;
  database(): string;
  /** Runs a statement with question marks as parameters. */
  run(sql: string, values?: readonly string[]): Promise<Record<string, unknown>[]>;
  /** Runs a statement without parameters, unchanged. */
  admin(sql: string): Promise<void>;
  /** A query for the row of an account, if the database itself finds that its password is the given one. */
  readonly proof: string;
  readonly beforeTls: Subject['beforeTls'];
}

const columns = (id: string, timestamp: string) => `
  id ${id}, login varchar(100) primary key, mail varchar(100), note text, password varchar(255),
  changed_at ${timestamp}, active boolean not null default true`;

export function postgresTable(): Table {
  let admin: Client;
  return {
    engine: 'postgres',
    disabledValues: ['false'],
    async open() {
      admin = await postgresAdmin();
      await admin.query(`
        create table people (${columns('bigserial unique', 'timestamptz(3)')});
        create role ${service} login password '${SERVICE_PASSWORD}';
        create role ${reader} login password '${SERVICE_PASSWORD}';
        grant select on people to ${service}, ${reader};
        grant update (password, changed_at) on people to ${service}`);
    },
    close: () => admin.end(),
    database: () => admin.database ?? '',
    run: async (sql, values = []) => {
      let n = 0;
      return (
        await admin.query(
          sql.replaceAll('?', () => `$${++n}`),
          [...values],
        )
      ).rows;
    },
    admin: async (sql) => {
      await admin.query(sql);
    },
    proof: `
      select 1 from people, decode(substr(password, 10), 'base64') as both_parts
      where login = ? and substr(both_parts, 1, 64) = sha512(convert_to(?, 'UTF8') || substr(both_parts, 65))`,
    beforeTls: postgresAgreesToTls,
  };
}

export function mariadbTable(): Table {
  let admin: Connection;
  let database = '';
  return {
    engine: 'mysql',
    disabledValues: ['0'],
    async open() {
      admin = await mariadbAdmin();
      const [rows] = await admin.query<RowDataPacket[]>('select database() as name');
      database = rows[0]?.name;
      await admin.query(`
        create table people (${columns('bigint not null auto_increment unique', 'datetime(3)')}) default charset utf8mb4;
        create user ${service} identified by '${SERVICE_PASSWORD}';
        create user ${reader} identified by '${SERVICE_PASSWORD}';
        grant select, update (password, changed_at) on people to ${service};
        grant select on people to ${reader}`);
    },
    close: () => admin.end(),
    database: () => database,
    run: async (sql, values = []) => (await admin.execute<RowDataPacket[]>(sql, [...values]))[0],
    admin: async (sql) => {
      await admin.query(sql);
    },
    proof: `
      select 1 from (select login, from_base64(substr(password, 10)) as both_parts from people) as stored
      where login = ? and substr(both_parts, 1, 64) = unhex(sha2(concat(cast(? as binary), substr(both_parts, 65)), 512))`,
    beforeTls: mariadbAgreesToTls,
  };
}

/** Name of the service account, which may read the table and write two of its columns. */
export const service = unique('service');
/** Name of a service account that may only read the table. */
const reader = unique('reader');

/** Makes an {SSHA512} hash without the code under test. */
function hashed(password: string): string {
  const salt = randomBytes(8);
  const digest = createHash('sha512').update(password).update(salt).digest();
  return `{SSHA512}${Buffer.concat([digest, salt]).toString('base64')}`;
}

export function subjectOf(table: Table): Subject {
  const facts = () => server(table.engine === 'mysql' ? 'mariadb' : 'postgres');

  async function account(login = unique('person')): Promise<TestAccount> {
    const password = unique('First');
    const mail = `${unique('mail')}@example.com`;
    await table.run('insert into people (login, mail, note, password) values (?, ?, ?, ?)', [
      login,
      mail,
      'left alone',
      hashed(password),
    ]);
    const [row] = await table.run('select id from people where login = ?', [login]);
    return { ref: { name: login, nativeId: String(row?.id) }, password, key: mail };
  }

  const remove = async ({ ref }: TestAccount) => {
    await table.run('delete from people where login = ?', [ref.name]);
  };

  return {
    title: `sql-column on ${table.engine}`,
    kind: 'sql-column',
    get server() {
      return { host: '127.0.0.1', port: Number(facts().port) };
    },
    settings: ({ host, port }) => ({
      engine: table.engine,
      host,
      port,
      serverName: 'localhost',
      ca: facts().caFile,
      user: service,
      password: '${file:service}',
      database: table.database(),
      table: 'people',
      keyColumn: 'login',
      idColumn: 'id',
      passwordColumn: 'password',
      scheme: 'ssha512',
      attributes: ['mail', 'note'],
      changedAtColumn: 'changed_at',
      disabledColumn: 'active',
      disabledValues: table.disabledValues,
    }),
    secrets: { '${file:service}': SERVICE_PASSWORD, '${file:wrong}': 'not the password' },
    beforeTls: table.beforeTls,
    hasty: { timeoutMs: 500 },
    get wrong() {
      return {
        authority: { ca: facts().otherCaFile },
        hostName: { serverName: 'somebody.else.test' },
        servicePassword: { password: '${file:wrong}' },
        rights: { user: reader },
        plaintext: { ssl: false },
      };
    },
    skips: {
      ...because('a row has no lock', [
        'a write changes nothing else of a locked account',
        'verify never answers differs for the new password of a locked account',
        'state shows a locked account as locked and not as disabled',
      ]),
      ...because('a row has no forced change', [
        'a write changes nothing else of a must-change account',
        'verify answers holds for an account that must change its password',
        'state shows that an account must change its password',
      ]),
      'verify makes exactly one login': 'verify reads the hash and makes no login',
      'the account with which Lockstep signs in is refused as a target':
        'the service account is a user of the database, and no row of the table',
      ...(table.engine === 'postgres' && {
        'the name of an account in another spelling names the same account':
          'the collation of the column compares exactly; see sql-column.test.ts for citext',
        'an account that cannot be read is named in the list, and the others are listed':
          'a text of PostgreSQL contains no character that cannot be read',
      }),
    },
    account: () => account(),
    absent: (text) => ({ name: text, nativeId: null }),
    findBy: 'mail',
    logsIn: async ({ ref }, password) =>
      (await table.run(table.proof, [ref.name, password])).length === 1,
    entry: async ({ ref }) =>
      (await table.run('select * from people where login = ?', [ref.name]))[0] ?? {},
    mayChange: ['password', 'changed_at'],
    stored: ({ password }) => password,
    hashes: { schemes: ['ssha512'], settings: () => ({}), provable: true },
    refusals: [],
    disable: async ({ ref }) => {
      await table.run('update people set active = false where login = ?', [ref.name]);
    },
    async rename(person) {
      const name = unique('renamed');
      await table.run('update people set login = ? where login = ?', [name, person.ref.name]);
      return { ...person, ref: { ...person.ref, name } };
    },
    remove,
    create: account,
    async giveId(person) {
      await remove(person);
      const heir = await account();
      const id = person.ref.nativeId ?? '';
      await table.run('update people set id = ? where login = ?', [id, heir.ref.name]);
      return { ...heir, ref: { ...heir.ref, nativeId: id } };
    },
    spellings: (name) => [name.toUpperCase(), `${name}  `],
    async unreadable() {
      const person = await account(`${unique('nul')}\0`);
      return { shown: person.ref.name.slice(0, -1), remove: () => remove(person) };
    },
    proved: {
      requests:
        table.engine === 'postgres'
          ? ['begin', 'select', 'update', 'commit', 'select']
          : ['start', 'select', 'update', 'commit', 'select'],
      record: table.engine === 'postgres' ? postgresRequests : mysqlRequests,
    },
    provable: { disabled: 'holds', locked: 'inconclusive' },
  };
}
