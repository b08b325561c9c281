import { type Kysely, sql } from 'kysely';

/** A worker can be bound to sources. Null for a worker of all sources that are not isolated. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table worker_presence add column sources text[]`.execute(db);
}
