import { type Kysely, sql } from 'kysely';

/**
 * Adds what a refresh remembers: how far it is, and since when a linked account is missing in its source. The index
 * finds the newest refresh of each source.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  'alter table job add column progress jsonb',
  'create index job_newest on job (kind, source, created_at desc)',
  'alter table account add column missing_since timestamptz',
  'create index account_missing on account (source) where missing_since is not null',
];
