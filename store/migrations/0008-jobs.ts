import { type Kysely, sql } from 'kysely';

/** Renames `errand` to `job`, `heeded` to `startpoint_applied` and `set_aside` to `quarantined`. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  'alter table errand rename to job',
  'alter index errand_open rename to job_open',
  'alter table sealed_sign_in rename column errand_id to job_id',
  'alter table relay rename column heeded to startpoint_applied',
  'alter table relay rename column set_aside to quarantined',
];
