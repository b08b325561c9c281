import { readFileSync } from 'node:fs';
import type { Client } from 'pg';
import { server } from '../support/servers';
import { because, type Subject, type TestAccount } from './conformance/subject';
import { postgresRequests } from './recorders';
import { postgresAdmin, postgresAgreesToTls, unique } from './sql-admin';

export interface PostgresRoles {
  readonly subject: Subject;
  /** A connection as the superuser. */
  readonly admin: () => Client;
  /** Name of the service account. Its only right is CREATEROLE. */
  readonly service: string;
  /** Name of a service account without any right. */
  readonly reader: string;
  readonly servicePassword: string;
  readonly alter: (account: TestAccount, change: string) => Promise<void>;
}

/** Creates the service accounts of a suite in a new database. */
export function postgresRoles(): PostgresRoles {
  const service = unique('service');
  const reader = unique('reader');
  const servicePassword = 'Of the service account';
  let admin: Client;

  beforeAll(async () => {
    admin = await postgresAdmin();
    await admin.query(`
      create extension dblink;
      create role ${service} login createrole password '${servicePassword}';
      create role ${reader} login password '${servicePassword}';`);
  });
  afterAll(() => admin.end());

  /** Creates a role as the service account, which from PostgreSQL 16 on gives it ADMIN OPTION on the role. */
  async function account(name = unique('role')): Promise<TestAccount> {
    const password = unique('First');
    await admin.query(
      `set role ${service}; create role ${name} login password '${password}'; reset role`,
    );
    const { rows } = await admin.query('select oid from pg_roles where rolname = $1', [name]);
    return { ref: { name, nativeId: String(rows[0].oid) }, password, key: name };
  }

  /** Logs in by libpq, inside the server, and not by the client that Lockstep uses. */
  async function logsIn({ ref }: TestAccount, password: string): Promise<boolean> {
    const { port, caFile } = server('postgres');
    const words = { host: 'localhost', port, user: ref.name, password, dbname: 'postgres' };
    const tls = { sslmode: 'verify-full', sslrootcert: caFile };
    const quoted = Object.entries({ ...words, ...tls }).map(
      ([word, value]) => `${word}='${String(value).replace(/['\\]/g, '\\$&')}'`,
    );
    const proof = unique('proof');
    try {
      await admin.query('select dblink_connect($1, $2)', [proof, quoted.join(' ')]);
      await admin.query('select dblink_disconnect($1)', [proof]);
      return true;
    } catch {
      return false;
    }
  }

  async function entry({ ref }: TestAccount): Promise<Record<string, unknown>> {
    const { rows } = await admin.query(
      `select pg_authid.*, shobj_description(oid, 'pg_authid') as comment,
         (select array_agg(setconfig) from pg_db_role_setting where setrole = pg_authid.oid) as settings
       from pg_authid where oid = $1`,
      [ref.nativeId],
    );
    return rows[0];
  }

  const alter = async ({ ref }: TestAccount, change: string) => {
    await admin.query(`alter role ${ref.name} ${change}`);
  };

  const facts = () => server('postgres');
  const subject: Subject = {
    title: 'postgres-role',
    kind: 'postgres-role',
    get server() {
      return { host: '127.0.0.1', port: Number(facts().port) };
    },
    settings: ({ host, port }) => ({
      host,
      port,
      serverName: 'localhost',
      ca: facts().caFile,
      user: service,
      password: '${file:service}',
      database: 'postgres',
    }),
    secrets: { '${file:service}': servicePassword, '${file:wrong}': 'not the password' },
    beforeTls: postgresAgreesToTls,
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
      ...because('PostgreSQL has no lock after failed logins', [
        'a write changes nothing else of a locked account',
        'verify never answers differs for the new password of a locked account',
        'state shows a locked account as locked and not as disabled',
      ]),
      ...because('PostgreSQL has no forced change', [
        'a write changes nothing else of a must-change account',
        'verify answers holds for an account that must change its password',
        'state shows that an account must change its password',
      ]),
      'state shows when the password was changed': 'PostgreSQL does not record the time',
      'another account that has got the id of the account is not written':
        'PostgreSQL lets no test choose the oid of a role; to Lockstep it is a renamed role',
      'the name of an account in another spelling names the same account':
        'PostgreSQL compares the names of roles exactly',
      'an account that cannot be read is named in the list, and the others are listed':
        'every role has a name that can be read',
    },
    account: () => account(),
    absent: (text) => ({ name: text, nativeId: null }),
    findBy: 'role',
    logsIn,
    entry,
    mayChange: ['rolpassword'],
    stored: ({ rolpassword }) => rolpassword,
    hashes: { schemes: ['scram-sha-256'], settings: () => ({}), provable: false },
    refusals: [],
    disable: (on) => alter(on, 'nologin'),
    async rename(on) {
      const name = unique('renamed');
      await alter(on, `rename to ${name}`);
      return { ...on, key: name, ref: { ...on.ref, name } };
    },
    remove: async ({ ref }) => {
      await admin.query(`drop role ${ref.name}`);
    },
    create: account,
    async ownAccount() {
      const { rows } = await admin.query('select oid from pg_roles where rolname = $1', [service]);
      const ref = { name: service, nativeId: String(rows[0].oid) };
      return { account: { ref, password: servicePassword, key: service } };
    },
    proved: {
      requests: ['select', 'begin', 'select', 'do', 'select', 'login'],
      record: postgresRequests,
    },
    provable: { disabled: 'holds', locked: 'inconclusive' },
    failedLogins: async ({ ref }) =>
      readFileSync(facts().logFile ?? '', 'utf8').split(
        `password authentication failed for user "${ref.name}"`,
      ).length - 1,
  };
  return { subject, admin: () => admin, service, reader, servicePassword, alter };
}
