import { type Kysely, sql } from 'kysely';

/**
 * Each worker reports to which files and variables it limits references to secrets, so that a plan can check them. API
 * keys name their agent or the source of their relay, and can be rotated. A provider may unassign `active`.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table worker_presence
      add column secrets_folder text,
      add column secrets_prefix text`.execute(db);
  await sql`
    alter table api_key
      add column agent text,
      add column source text,
      add column previous_hash bytea,
      add column previous_until timestamptz`.execute(db);
  await sql`alter table scim_user alter column active drop not null`.execute(db);
}
