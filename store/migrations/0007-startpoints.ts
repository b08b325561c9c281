import { type Kysely, sql } from 'kysely';

/**
 * Adds what operators set for the captures of a source: whether they are stopped, and from which startpoint they
 * count. Relays also report where they run and whether they can read their source. `replica` holds the servers of a
 * source, each of which may need a relay.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table capture_control (
    source text primary key,
    stopped_at timestamptz,
    stopped_by text,
    startpoint_number integer not null default 0,
    start_from text,
    start_cursor text,
    start_at timestamptz,
    startpoint_set_at timestamptz,
    startpoint_set_by text
  )`,

  `create table replica (
    source text not null,
    host text not null,
    writable boolean not null,
    seen_at timestamptz not null default now(),
    primary key (source, host)
  )`,

  `alter table relay
    add column host text,
    add column covers text not null default 'host',
    add column trouble text,
    add column heeded integer,
    add column missed bigint not null default 0`,
];
