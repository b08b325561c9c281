import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client as PgClient } from 'pg';
import { encode, holds } from '../../connectors/encodings';
import { ssha } from '../../local/slapd';
import { Secret } from '../../model/passwords/secret';
import { type LdapAdmin, ldapAdmin } from '../connectors/ldap-subject';
import { postgresAdmin } from '../connectors/sql-admin';
import { type ServerProxy, startProxy } from './proxy';
import { server } from './servers';
import { suffixes } from './servers/slapd';
import { SCIM_TOKEN } from './vendors/scim';

/**
 * The systems of a test company on real servers, each behind a proxy: `directory` and `apps` (OpenLDAP), `warehouse`
 * (PostgreSQL roles), `crm` (an SQL table).
 */
export type SystemName = 'directory' | 'apps' | 'warehouse' | 'crm';

export interface CompanyAccount {
  readonly source: string;
  readonly name: string;
  /** Whether a login with a password succeeds, checked without Lockstep. */
  logsIn(password: string): Promise<boolean>;
  /** Changes the password directly in the source, as its administrator does. */
  changeThere(password: string): Promise<void>;
}

export interface Company {
  readonly proxies: Readonly<Record<SystemName, ServerProxy>>;
  /** The `sources` of a configuration. @param more settings that differ from the defaults */
  sources(more?: Partial<Record<SystemName, object>>): Record<string, object>;
  /** Adds an account with a random password. */
  addAccount(source: SystemName): Promise<CompanyAccount>;
  /** Deletes an account in its source. */
  removeAccount(account: CompanyAccount): Promise<void>;
  /** The hash that `crm` stores for an account. */
  hashOf(account: CompanyAccount): Promise<string>;
  /** Makes `crm` refuse every write with this SQLSTATE; null ends that. */
  refuseWrites(sqlstate: string | null): Promise<void>;
  /** Administrators of the two directories, for policies and locks. */
  readonly directories: Readonly<Record<'directory' | 'apps', LdapAdmin>>;
  stop(): Promise<void>;
}

const SCHEME = 'ssha512';
const unique = (prefix: string) => `${prefix}_${randomBytes(5).toString('hex')}`;

export async function startCompany(): Promise<Company> {
  const [slapd, postgres] = [server('slapd'), server('postgres')];
  const behind = (port: string | undefined) =>
    startProxy({ host: '127.0.0.1', port: Number(port) });
  const [directory, apps, warehouse, crm] = await Promise.all(
    [slapd.port, slapd.port, postgres.port, postgres.port].map(behind),
  );
  if (!directory || !apps || !warehouse || !crm) throw new Error('no proxies');
  const proxies = { directory, apps, warehouse, crm };
  const directories = {
    directory: await ldapAdmin(suffixes.corp),
    apps: await ldapAdmin(suffixes.free),
  };
  const database = await prepareDatabase();

  const addTo: Record<SystemName, () => Promise<CompanyAccount>> = {
    directory: () => addToDirectory('directory', directories.directory),
    apps: () => addToDirectory('apps', directories.apps),
    warehouse: () => addRole(database.client),
    crm: () => addRow(database.client),
  };
  return {
    proxies,
    directories,
    sources: (more = {}) => {
      const all = { ...directorySources(proxies), ...databaseSources(proxies, database) };
      return Object.fromEntries(
        Object.entries(all).map(([name, source]) => [
          name,
          { ...source, ...more[name as SystemName] },
        ]),
      );
    },
    addAccount: (source) => addTo[source](),
    async removeAccount({ source, name }) {
      if (source === 'directory' || source === 'apps') await directories[source].client.del(name);
      else if (source === 'warehouse') await database.client.query(`drop role ${name}`);
      else await database.client.query('delete from staff where login = $1', [name]);
    },
    hashOf: ({ name }) => storedHash(database.client, name),
    async refuseWrites(sqlstate) {
      await database.client.query('drop trigger if exists refusing on staff');
      if (sqlstate === null) return;
      await database.client.query(`
        create or replace function refuse() returns trigger language plpgsql as $$
        begin raise exception using errcode = '${sqlstate}'; end $$;
        create trigger refusing before update on staff for each statement execute function refuse()`);
    },
    async stop() {
      await Promise.all(Object.values(proxies).map((proxy) => proxy.stop()));
      await Promise.all(Object.values(directories).map((admin) => admin.close()));
      await database.client.end();
    },
  };
}

function directorySources(proxies: Company['proxies']) {
  const settings = (name: 'directory' | 'apps', suffix: string) => ({
    kind: 'ldap',
    settings: {
      url: `ldaps://127.0.0.1:${proxies[name].address.port}`,
      ca: server('slapd').caFile,
      bindDn: `cn=lockstep,ou=services,${suffix}`,
      bindPassword: '${env:TEST_LDAP}',
      base: `ou=people,${suffix}`,
      timeoutMs: 1_000,
    },
  });
  return {
    directory: settings('directory', suffixes.corp),
    apps: settings('apps', suffixes.free),
  };
}

interface TestTables {
  readonly client: PgClient;
  readonly database: string;
  readonly role: string;
  readonly table: string;
}

/** Creates the tables, and a service role for Lockstep that may create roles and update one table. */
async function prepareDatabase(): Promise<TestTables> {
  const client = await postgresAdmin();
  const role = unique('service');
  const table = 'staff';
  const verifier = await encode('scram-sha-256', Secret.fromText(SERVICE_PASSWORD));
  await client.query(`create role ${role} login createrole password '${verifier}'`);
  await client.query(`create table ${table} (login text primary key, hash text not null)`);
  await client.query(`grant select, update on ${table} to ${role}`);
  const found = await client.query<{ name: string }>('select current_database() as name');
  return { client, database: found.rows[0]?.name ?? '', role, table };
}

const SERVICE_PASSWORD = unique('service-password');

function databaseSources(proxies: Company['proxies'], { database, role, table }: TestTables) {
  const endpoint = (name: 'warehouse' | 'crm') => ({
    host: '127.0.0.1',
    serverName: 'localhost',
    port: proxies[name].address.port,
    ca: server('postgres').caFile,
    database,
    user: role,
    password: '${env:TEST_SQL}',
    timeoutMs: 2_000,
  });
  return {
    warehouse: { kind: 'postgres-role', settings: endpoint('warehouse') },
    crm: {
      kind: 'sql-column',
      settings: {
        ...endpoint('crm'),
        engine: 'postgres',
        table,
        keyColumn: 'login',
        passwordColumn: 'hash',
        scheme: SCHEME,
      },
    },
  };
}

/** Resolves a secret reference of the settings. */
export const serviceSecret = (reference: string): Secret =>
  Secret.fromText(
    servicePasswords[reference.replace('LOCKSTEP_SECRET_', '')]?.() ?? SERVICE_PASSWORD,
  );

const servicePasswords: Readonly<Record<string, () => string | undefined>> = {
  '${env:TEST_LDAP}': () => server('slapd').lockstep,
  '${env:TEST_DOMAIN}': () => server('samba').lockstep,
  '${env:TEST_SCIM}': () => SCIM_TOKEN,
};

async function addToDirectory(
  source: 'directory' | 'apps',
  admin: LdapAdmin,
): Promise<CompanyAccount> {
  const account = await admin.addAccount();
  return {
    source,
    name: account.ref.name,
    logsIn: (password) => admin.logsIn(account, password),
    changeThere: (password) =>
      admin.replace(account, 'userPassword', ssha(Secret.fromText(password))),
  };
}

async function addRole(client: PgClient): Promise<CompanyAccount> {
  const name = unique('person');
  const verifier = await encode('scram-sha-256', Secret.fromText(unique('nobody-knows')));
  await client.query(`create role ${name} login password '${verifier}'`);
  return {
    source: 'warehouse',
    name,
    logsIn: (password) => roleLogsIn(name, password),
    async changeThere(password) {
      const changed = await encode('scram-sha-256', Secret.fromText(password));
      await client.query(`alter role ${name} password '${changed}'`);
    },
  };
}

async function roleLogsIn(user: string, password: string): Promise<boolean> {
  const { port, caFile = '' } = server('postgres');
  const client = new PgClient({
    host: '127.0.0.1',
    port: Number(port),
    user,
    password,
    database: 'postgres',
    ssl: { ca: readFileSync(caFile), servername: 'localhost' },
  });
  return client
    .connect()
    .then(() => true)
    .catch(() => false)
    .finally(() => client.end());
}

async function addRow(client: PgClient): Promise<CompanyAccount> {
  const name = unique('person');
  const hash = await encode(SCHEME, Secret.fromText(unique('nobody-knows')));
  await client.query('insert into staff values ($1, $2)', [name, hash]);
  return {
    source: 'crm',
    name,
    async logsIn(password) {
      return (await holds(await storedHash(client, name), Secret.fromText(password))) === true;
    },
    async changeThere(password) {
      const changed = await encode(SCHEME, Secret.fromText(password));
      await client.query('update staff set hash = $2 where login = $1', [name, changed]);
    },
  };
}

async function storedHash(client: PgClient, login: string): Promise<string> {
  const { rows } = await client.query<{ hash: string }>('select hash from staff where login = $1', [
    login,
  ]);
  return rows[0]?.hash ?? '';
}
