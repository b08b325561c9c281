import { type Kysely, sql } from 'kysely';

/** How the stored credential came (`model/change/credential-origin.ts`). Null for one that an earlier release stored. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table mapping add column stored_from text`.execute(db);
}
