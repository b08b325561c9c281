import { type Kysely, sql } from 'kysely';

/** Adds the form in which the password of a change came: plain text, or a kind of hash. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table change add column form text not null default 'plaintext'`.execute(db);
}
