import { type Kysely, sql } from 'kysely';

/**
 * What the pages of single sign-on show: since when an adapter is connected and when it last received, the master key
 * that each worker seals with, and an index that finds the discarded captures of the last day.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table adapter
      add column online_since timestamptz,
      add column received_at timestamptz`.execute(db);
  await sql`alter table worker_presence add column current_master_key text`.execute(db);
  await sql`
    create index audit_discarded on audit (at)
    where action in ('capture.duplicate', 'capture.echo')`.execute(db);
}
