import { type Kysely, sql } from 'kysely';

/** A command for the accounts of a source can be limited to those that wait for one reason. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table source_command add column reason text`.execute(db);
}
