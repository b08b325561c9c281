import { type Kysely, sql } from 'kysely';

/** `lockstep stale` shows since when something is wrong with the link of an account. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table account add column problem_at timestamptz`.execute(db);
}
