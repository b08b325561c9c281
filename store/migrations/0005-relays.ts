import { type Kysely, sql } from 'kysely';

/**
 * Adds relays, and the captures that they submitted and no worker has ingested yet. `sealed_capture.jwe` is the third
 * column that holds passwords; a relay seals them to an epoch of the purpose `capture`.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table epoch add column purpose text not null default 'change'`,

  `create table relay (
    id text primary key,
    source text not null,
    api_key_id text not null unique references api_key,
    public_key jsonb not null,
    last_request bigint not null default 0,
    segment text,
    position bigint not null default 0,
    source_sequence text,
    received bigint not null default 0,
    lost bigint not null default 0,
    created_at timestamptz not null default now(),
    heard_at timestamptz,
    version text,
    backlog bigint not null default 0,
    oldest_at timestamptz,
    set_aside bigint not null default 0,
    clock_ahead_ms bigint
  )`,

  `create table sealed_capture (
    id bigint generated always as identity primary key,
    relay_id text not null references relay,
    epoch_id text not null references epoch,
    jwe bytea not null,
    expires_at timestamptz not null,
    received_at timestamptz not null default now(),
    next_try_at timestamptz not null default now()
  )`,
  `create index sealed_capture_of_relay on sealed_capture (relay_id, id)`,
  `create index sealed_capture_epoch on sealed_capture (epoch_id)`,
];
