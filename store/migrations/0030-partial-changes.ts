import { type Kysely, sql } from 'kysely';

/**
 * A partial change carries a password from an adapter into the stored credential only, so it says nothing about the
 * other accounts of its person.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table change add column partial boolean not null default false`.execute(db);
}
