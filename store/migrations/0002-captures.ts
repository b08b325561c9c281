import { type Kysely, sql } from 'kysely';

/**
 * A change may come from an account: the password was changed there, and captured. `password_fingerprints` are keyed
 * hashes of what the change writes, by a key that is not in the database; see docs/threats.md for how long they stay.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table change
      add column origin_account_id text,
      add column captured_at timestamptz,
      add column password_fingerprints bytea[]`.execute(db);
  await sql`
    create index change_remembered on change (ended_at) where password_fingerprints is not null`.execute(
    db,
  );
}
