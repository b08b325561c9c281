import { type Kysely, sql } from 'kysely';

/**
 * Links with which a person sets a new password without the current one. The database holds the hash of each code only,
 * and none until a worker has made the code of a link that is sent by mail.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table one_time_link (
      id text primary key,
      hash bytea unique,
      identity_id text not null references identity (id) on delete cascade,
      key_id text not null references api_key (id),
      last_seq bigint not null,
      change_id text references change (id) on delete cascade,
      busy_until timestamptz,
      created_at timestamptz not null default now(),
      expires_at timestamptz not null,
      revoked_at timestamptz
    )`.execute(db);
  await sql`create index one_time_link_of_identity on one_time_link (identity_id)`.execute(db);
  await sql`create index one_time_link_change on one_time_link (change_id) where change_id is not null`.execute(
    db,
  );
}
