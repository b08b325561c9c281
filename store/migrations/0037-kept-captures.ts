import { type Kysely, sql } from 'kysely';

/**
 * Adds captures of accounts that are linked to no person yet. They stay sealed as their relay sealed them. `account_key`
 * is the canonical name of the account; only the newest capture of an account is kept.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table kept_capture (
      source text not null,
      account_key text not null,
      relay_id text not null references relay on delete cascade,
      epoch_id text not null references epoch,
      jwe bytea not null,
      captured_at timestamptz not null,
      expires_at timestamptz not null,
      primary key (source, account_key)
    )`.execute(db);
  await sql`create index kept_capture_expires_at on kept_capture (expires_at)`.execute(db);
}
