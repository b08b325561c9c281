import { type Kysely, sql } from 'kysely';

/** In which form the password of a change came; never the password itself. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table change add column form text not null default 'plaintext'`.execute(db);
}
