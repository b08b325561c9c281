import { type Kysely, sql } from 'kysely';

/** Finds changes to attend, and accounts that wait for a source, without reading every open change or every outcome. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create index change_unattended on change (coalesce(attended_until, '-infinity'::timestamptz), created_at)
    where ended_at is null`.execute(db);
  await sql`
    create index outcome_waiting on outcome (source) where state in ('waiting', 'parked')`.execute(
    db,
  );
}
