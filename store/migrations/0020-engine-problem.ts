import { type Kysely, sql } from 'kysely';

/** Each worker reports why it cannot use its engine, so that `lockstep doctor` can show it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table worker_presence add column engine_problem text`.execute(db);
}
