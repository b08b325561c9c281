import { type Kysely, sql } from 'kysely';

/**
 * Adds the origin of changes that were captured in an account. `password_fingerprints` are keyed hashes of what a
 * change writes; their key is not in the database. docs/threats.md says for how long they are kept.
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
