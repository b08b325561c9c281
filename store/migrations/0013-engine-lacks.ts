import { type Kysely, sql } from 'kysely';

/** Each worker reports what its engine lacks, so that `lockstep doctor` can show it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table worker_presence add column engine_lacks text[] not null default '{}'`.execute(
    db,
  );
}
