import type { Client } from 'pg';
import { encode } from '../../connectors/encodings';
import type { Secret } from '../../model/passwords/secret';
import { clientOf, createDatabase } from '../postgres';
import { mailOf, people } from './company';
import { randomPassword } from './directories';

export const CRM_SCHEME = 'scrypt';
const DATABASE = 'harborlane';

export interface DatabaseSecrets {
  /** The passwords of Lockstep's service accounts. */
  readonly warehouse: Secret;
  readonly crm: Secret;
}

/**
 * Makes the login roles of the warehouse and the user table of the CRM where they are missing.
 * @returns the URL for the superuser
 */
export async function prepareDatabase(
  server: { readonly url: string },
  secrets: DatabaseSecrets,
): Promise<string> {
  const url = await createDatabase(server, DATABASE);
  await withClient(url, async (client) => {
    await client.query('begin');
    await prepareRoles(client, secrets);
    await prepareTable(client);
    await client.query('commit');
  });
  return url;
}

async function prepareRoles(client: Client, secrets: DatabaseSecrets): Promise<void> {
  await ensureRole(client, 'lockstep_warehouse', secrets.warehouse, 'login createrole');
  await ensureRole(client, 'lockstep_crm', secrets.crm, 'login');
  // From PostgreSQL 16 on, a role may set passwords only of roles that it has made.
  await client.query('set local role lockstep_warehouse');
  for (const { name, warehouse } of people)
    if (warehouse) await ensureRole(client, name, randomPassword(), 'login');
  await client.query('set local role none');
}

async function ensureRole(
  client: Client,
  name: string,
  password: Secret,
  attributes: string,
): Promise<void> {
  const found = await client.query('select from pg_roles where rolname = $1', [name]);
  if (found.rowCount !== 0) return;
  const verifier = client.escapeLiteral(await encode('scram-sha-256', password));
  await client.query(
    `create role ${client.escapeIdentifier(name)} ${attributes} password ${verifier}`,
  );
}

async function prepareTable(client: Client): Promise<void> {
  await client.query(`
    create table if not exists crm_user (
      login text primary key,
      full_name text not null,
      password_hash text not null,
      password_changed_at timestamptz
    )`);
  await client.query(
    'grant select, update (password_hash, password_changed_at) on crm_user to lockstep_crm',
  );
  for (const one of people.filter(({ crm }) => crm))
    await client.query(
      'insert into crm_user (login, full_name, password_hash) values ($1, $2, $3) on conflict do nothing',
      [mailOf(one), one.fullName, '*'],
    );
}

/** Does what an administrator would do, so that the demo begins with a known password. */
export async function resetDatabasePasswords(
  url: string,
  accounts: { readonly role: string; readonly login: string },
  password: Secret,
): Promise<void> {
  const hash = await encode(CRM_SCHEME, password);
  const verifier = await encode('scram-sha-256', password);
  await withClient(url, async (client) => {
    await client.query(
      `alter role ${client.escapeIdentifier(accounts.role)} password ${client.escapeLiteral(verifier)}`,
    );
    await client.query('update crm_user set password_hash = $1 where login = $2', [
      hash,
      accounts.login,
    ]);
  });
}

export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = clientOf({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
