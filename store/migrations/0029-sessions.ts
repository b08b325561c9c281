import { type Kysely, sql } from 'kysely';

/**
 * Sign-ins to the console. The database holds the hash of each token only. A session has the rights of its API key, or
 * shows one change to the person who started it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table session (
      id text primary key,
      hash bytea not null unique,
      key_id text references api_key (id),
      key_hash bytea,
      change_id text references change (id) on delete cascade,
      created_at timestamptz not null default now(),
      seen_at timestamptz not null default now(),
      expires_at timestamptz not null,
      ended_at timestamptz,
      check ((key_id is null) <> (change_id is null)),
      check ((key_id is null) = (key_hash is null))
    )`.execute(db);
  await sql`create index session_expires_at on session (expires_at)`.execute(db);
}
