import { type Kysely, sql } from 'kysely';

/** Each worker reports to which files and variables it limits references to secrets, so that a plan can check them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table worker_presence
      add column secrets_folder text,
      add column secrets_prefix text`.execute(db);
}
