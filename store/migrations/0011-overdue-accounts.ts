import { type Kysely, sql } from 'kysely';

/** Finds accounts whose next attempt is overdue without reading every outcome. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index outcome_due on outcome (next_try_at) where state = 'waiting'`.execute(db);
}
