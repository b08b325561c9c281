import { sql } from 'kysely';
import type { MappingState } from '../model/change/mapping';
import type { Person } from '../model/people/correlation';
import type { Database } from './database';

/** What the lookup service reads, through the views of the schema `lookup` (migration 0033). */

export interface StoredCredential {
  readonly mappingId: string;
  readonly identityId: string;
  readonly accountId: string;
  /** The name of the account in its source, which is the user id in the application. */
  readonly account: string;
  readonly state: MappingState;
  readonly sealed: Buffer;
  readonly masterKeyId: string;
  readonly seq: number;
}

export async function readPerson(db: Database, identityId: string): Promise<Person | null> {
  const { rows } = await sql<Person>`
    select name, attributes from lookup.identity where id = ${identityId}`.execute(db);
  return rows[0] ?? null;
}

const ofCredential = sql`
  m.id as "mappingId", m.identity_id as "identityId", m.account_id as "accountId", m.account, m.state, m.sealed,
  m.master_key_id as "masterKeyId", m.applied_seq as seq`;

/** Reads the credentials of an identity in an application, as a rule one; none of a disabled mapping. */
export async function readCredentials(
  db: Database,
  application: string,
  identity: string,
): Promise<StoredCredential[]> {
  const { rows } = await sql<StoredCredential>`
    select ${ofCredential} from lookup.mapping m join lookup.identity i on i.id = m.identity_id
    where m.application = ${application} and i.name = ${identity}
    order by m.account`.execute(db);
  return rows;
}

/** Reads the credentials of an account of an application, whose name is given in any case. */
export async function readCredentialsOfAccount(
  db: Database,
  application: string,
  account: string,
): Promise<StoredCredential[]> {
  const { rows } = await sql<StoredCredential>`
    select ${ofCredential} from lookup.mapping m
    where m.application = ${application} and lower(m.account) = lower(${account})`.execute(db);
  return rows;
}

/** Time of the database, from which the end of a ticket is counted. */
export async function readNow(db: Database): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select now() as now`.execute(db);
  return rows[0]?.now ?? new Date(0);
}

export async function isKeyAccepted(db: Database, keyId: string): Promise<boolean> {
  const { rows } = await sql`
    select from lookup.api_key
    where id = ${keyId} and revoked_at is null and (expires_at is null or expires_at > now())`.execute(
    db,
  );
  return rows.length > 0;
}

/**
 * Records that a ticket is redeemed.
 * @returns false when it was redeemed before, or has expired
 */
export async function redeemTicket(
  db: Database,
  ticket: { readonly id: string; readonly expiresAt: Date },
): Promise<boolean> {
  await sql`
    delete from lookup.redeemed_ticket where expires_at < now() - interval '1 hour'`.execute(db);
  const { rows } = await sql`
    insert into lookup.redeemed_ticket (id, expires_at)
    select ${ticket.id}, ${ticket.expiresAt} where ${ticket.expiresAt}::timestamptz > now()
    on conflict (id) do nothing
    returning id`.execute(db);
  return rows.length > 0;
}

/** What is wrong with the role of a connection of the lookup service. */
export type RoleFault = 'reads_tables' | 'reads_no_views';

/** @returns null for a role that reads the views of the schema `lookup`, and no table of Lockstep */
export async function faultOfRole(db: Database): Promise<RoleFault | null> {
  const { rows } = await sql<{ tables: boolean; views: boolean }>`
    select exists(
             select from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where n.nspname = 'public' and c.relkind in ('r', 'p') and has_any_column_privilege(c.oid, 'select')
           ) as tables,
           current_schema() is not distinct from 'lookup' as views`.execute(db);
  const [reads] = rows;
  if (reads?.tables !== false) return 'reads_tables';
  return reads.views ? null : 'reads_no_views';
}
