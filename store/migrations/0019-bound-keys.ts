import { type Kysely, sql } from 'kysely';

/**
 * An API key can be bound to one person. The column refers to no identity, because a key must stay bound when its person
 * is removed.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table api_key add column identity_id text`.execute(db);
}
