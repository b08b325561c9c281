import { type Kysely, sql } from 'kysely';

/**
 * Adds notices, their deliveries, and the channels to which nothing more is sent. `former_address` holds
 * the mail addresses that a person had before, so that a changed address hides no notice. `event_key` holds the public
 * keys that verify security events.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const newId = (prefix: string) => `'${prefix}_' || replace(gen_random_uuid()::text, '-', '')`;

const statements = [
  `create table notice (
    id text primary key default ${newId('ntc')},
    number bigint generated always as identity unique,
    kind text not null,
    key text unique,
    identity_id text references identity on delete cascade,
    change_id text references change on delete cascade,
    subject text,
    reminder boolean not null default false,
    detail jsonb not null default '{}',
    created_at timestamptz not null default now(),
    due_at timestamptz not null default now(),
    state text not null default 'new',
    attended_until timestamptz
  )`,
  `create index notice_open on notice (due_at) where state in ('new', 'sending')`,
  `create index notice_of_subject on notice (subject, number) where subject is not null`,
  `create index notice_of_change on notice (change_id) where change_id is not null`,
  `create index notice_of_identity on notice (identity_id) where identity_id is not null`,

  `create table notice_delivery (
    id text primary key default ${newId('dlv')},
    notice_id text not null references notice on delete cascade,
    channel text not null,
    recipient text,
    state text not null default 'waiting',
    reason text,
    attempts integer not null default 0,
    next_try_at timestamptz,
    updated_at timestamptz not null default now()
  )`,
  `create index notice_delivery_of_notice on notice_delivery (notice_id)`,

  `create table closed_channel (
    channel text primary key,
    settings jsonb not null,
    closed_at timestamptz not null default now()
  )`,

  `create table former_address (
    identity_id text not null references identity on delete cascade,
    attribute text not null,
    address text not null,
    replaced_at timestamptz not null default now(),
    primary key (identity_id, attribute, address)
  )`,

  `create table event_key (
    id text primary key,
    public_key jsonb not null,
    signature text not null,
    created_at timestamptz not null default now()
  )`,
];
