import { type Kysely, sql } from 'kysely';

/** The public URL of the api, from which workers make the links of the Temporal Web UI. The table has one row at most. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table public_url (
      single boolean primary key default true check (single),
      url text not null
    )`.execute(db);
}
