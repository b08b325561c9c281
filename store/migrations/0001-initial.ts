import { type Kysely, sql } from 'kysely';

/**
 * Two columns of this schema hold passwords, both sealed: `sealed_secret.jwe`, to the epoch key of the worker until
 * the change ends, and `mapping.sealed`, under the master key. Both are bytea, so that no error message of PostgreSQL
 * quotes them as text.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table configuration (
    version integer primary key,
    document jsonb not null,
    applied_by text not null,
    applied_at timestamptz not null default now()
  )`,

  `create table identity (
    id text primary key,
    name text not null unique,
    attributes jsonb not null default '{}',
    last_seq bigint not null default 0,
    created_at timestamptz not null default now()
  )`,

  `create table account (
    id text primary key,
    identity_id text not null references identity on delete cascade,
    source text not null,
    name text not null,
    native_id text,
    is_primary boolean not null default false,
    linked_by text not null,
    linked_at timestamptz not null default now(),
    applied_seq bigint not null default 0,
    claimed_seq bigint not null default 0,
    claimed_until timestamptz,
    unique (source, name)
  )`,
  `create index account_identity on account (identity_id)`,
  `create unique index account_one_primary on account (identity_id, source) where is_primary`,

  `create table mapping (
    id text primary key,
    application text not null,
    identity_id text not null references identity on delete cascade,
    account_id text not null references account on delete cascade,
    enabled boolean not null default true,
    state text not null default 'empty',
    reason text,
    sealed bytea,
    master_key_id text,
    applied_seq bigint not null default 0,
    updated_at timestamptz not null default now(),
    unique (application, account_id)
  )`,
  `create index mapping_account on mapping (account_id)`,

  `create table epoch (
    id text primary key,
    public_key jsonb not null,
    signature text not null,
    created_at timestamptz not null default now(),
    seal_until timestamptz not null,
    destroyed_at timestamptz
  )`,

  `create table api_key (
    id text primary key,
    name text not null,
    hash bytea not null,
    scopes text[] not null,
    groups text[],
    created_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz
  )`,

  `create table change (
    id text primary key,
    identity_id text not null references identity on delete cascade,
    identity_name text not null,
    seq bigint not null,
    groups text[] not null,
    state text not null default 'accepted',
    reason text,
    requested_by text not null,
    requested_by_name text not null,
    idempotency_key text,
    fingerprint bytea,
    configuration_version integer not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    planned_at timestamptz,
    attended_until timestamptz,
    ended_at timestamptz,
    unique (identity_id, seq)
  )`,
  `create unique index change_idempotency on change (requested_by, idempotency_key)
     where idempotency_key is not null`,
  `create index change_open on change (created_at) where ended_at is null`,
  `create index change_of_identity on change (identity_id, seq) where ended_at is null`,
  `create index change_newest on change (created_at desc, id desc)`,

  `create table sealed_secret (
    change_id text primary key references change on delete cascade,
    epoch_id text not null references epoch,
    jwe bytea not null,
    expires_at timestamptz not null
  )`,
  `create index sealed_secret_expiry on sealed_secret (expires_at)`,
  `create index sealed_secret_epoch on sealed_secret (epoch_id)`,

  `create table outcome (
    change_id text not null references change on delete cascade,
    label text not null,
    position integer not null,
    source text not null,
    account_id text,
    account_name text,
    role text not null,
    state text not null,
    reason text,
    vendor_code text,
    attempts integer not null default 0,
    in_doubt boolean not null default false,
    proof text not null default 'none',
    next_try_at timestamptz,
    updated_at timestamptz not null default now(),
    primary key (change_id, label)
  )`,

  `create table command (
    id bigint generated always as identity primary key,
    change_id text not null references change on delete cascade,
    kind text not null,
    label text,
    requested_by text not null,
    created_at timestamptz not null default now(),
    delivered_at timestamptz
  )`,
  `create index command_open on command (id) where delivered_at is null`,

  `create table errand (
    id text primary key,
    kind text not null,
    source text not null,
    parameters jsonb not null default '{}',
    state text not null default 'open',
    result jsonb,
    requested_by text not null,
    created_at timestamptz not null default now(),
    claimed_until timestamptz,
    finished_at timestamptz
  )`,
  `create index errand_open on errand (created_at) where finished_at is null`,

  `create table worker_presence (
    worker_id text primary key,
    engine_reachable boolean not null,
    seen_at timestamptz not null default now()
  )`,

  `create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    actor text not null,
    action text not null,
    change_id text,
    subject text,
    detail jsonb not null default '{}',
    position bigint unique,
    hash bytea
  )`,
  `create index audit_unchained on audit (id) where position is null`,
  `create index audit_change on audit (change_id)`,
];
