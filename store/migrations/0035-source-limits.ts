import { type Kysely, sql } from 'kysely';

/** The turns of sources with limits, pauses that end by themselves, and the server of each source that a worker uses. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table source_turn (
    id bigint generated always as identity primary key,
    source text not null,
    accounts integer not null,
    taken_at timestamptz not null default statement_timestamp(),
    until timestamptz not null
  )`,
  `create index source_turn_source on source_turn (source)`,
  `alter table source_state add column until timestamptz`,
  `alter table worker_presence add column servers jsonb not null default '{}'`,
];
