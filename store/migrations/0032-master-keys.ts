import { type Kysely, sql } from 'kysely';

/** The master keys that a key server has sealed, and what each worker reports about the store of its master keys. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table master_key (
      id text primary key,
      sealed text not null,
      fingerprint bytea not null,
      saved_at timestamptz,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`
    alter table worker_presence
      add column key_store_problem text,
      add column unsaved_master_keys text[] not null default '{}'`.execute(db);
}
