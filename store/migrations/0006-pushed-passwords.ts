import { type Kysely, sql } from 'kysely';

/**
 * Adds passwords that are pushed to Lockstep: by identity providers over SCIM, and by applications that see a person
 * sign in. They are pushed repeatedly, so the accounts of such a change may hold its password already.
 * `sealed_sign_in.jwe` is the fourth column that holds passwords: for seconds, sealed to an epoch like that of a
 * change.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table change add column looks_first boolean not null default false`,

  `create table scim_user (
    id text primary key,
    source text not null,
    user_name text not null,
    external_id text,
    active boolean not null,
    version integer not null default 1,
    created_at timestamptz not null default date_trunc('milliseconds', now()),
    updated_at timestamptz not null default date_trunc('milliseconds', now())
  )`,
  `create unique index scim_user_name on scim_user (source, lower(user_name))`,
  `create index scim_user_external on scim_user (source, external_id)`,
  `create index account_any_case on account (source, lower(name))`,
  `create index account_native on account (source, native_id)`,

  `alter table account add column changed_there_at timestamptz`,

  `create table sign_in_guard (
    account_id text primary key references account on delete cascade,
    failures integer not null,
    closed_until timestamptz not null
  )`,
  `create table sealed_sign_in (
    errand_id text primary key references errand on delete cascade,
    account_id text not null references account on delete cascade,
    epoch_id text not null references epoch,
    jwe bytea not null,
    expires_at timestamptz not null
  )`,
  `create index sealed_sign_in_expiry on sealed_sign_in (expires_at)`,
];
