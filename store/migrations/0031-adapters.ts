import { type Kysely, sql } from 'kysely';

/**
 * Adapters, the external programs of sources of the kind `pull`, and the messages that wait for them. `public_key` is the
 * key to which a worker seals messages: that of the adapter itself, or the session key of one api process.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table adapter (
      source text primary key,
      key_id text not null,
      public_key jsonb not null,
      own_key boolean not null,
      online boolean not null default true,
      initialised_at timestamptz not null default now(),
      seen_at timestamptz not null default now()
    )`.execute(db);
  await sql`
    create table adapter_message (
      id text primary key,
      source text not null,
      change_id text not null references change (id) on delete cascade,
      label text not null,
      account_id text not null references account (id) on delete cascade,
      seq bigint not null,
      sealed bytea,
      key_id text not null,
      most_deliveries int not null,
      lease_seconds int not null,
      deliveries int not null default 0,
      leased_until timestamptz,
      created_at timestamptz not null default now(),
      expires_at timestamptz not null,
      settled_at timestamptz,
      result text,
      reason text,
      vendor_code text,
      retry_after_ms int,
      unique (change_id, label),
      check ((settled_at is null) = (result is null)),
      check (settled_at is null or sealed is null)
    )`.execute(db);
  await sql`create index adapter_message_open on adapter_message (source) where settled_at is null`.execute(
    db,
  );
  await sql`create index adapter_message_settled on adapter_message (settled_at) where settled_at is not null`.execute(
    db,
  );
  await sql`create index adapter_message_account on adapter_message (account_id)`.execute(db);
}
