import { type Kysely, sql } from 'kysely';

/** Adds the state of sources that are down or paused, and commands for all accounts that wait on a source. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table source_state (
    source text primary key,
    condition text not null,
    reason text not null,
    set_by text not null,
    since timestamptz not null default now(),
    failures integer not null default 0,
    next_probe_at timestamptz,
    probing_until timestamptz
  )`,

  // created_at uses clock_timestamp(), because outcomes are compared with it: the time at which its transaction began
  // would be too early.
  `create table source_command (
    id bigint generated always as identity primary key,
    source text not null,
    kind text not null,
    per_second integer not null,
    requested_by text not null,
    created_at timestamptz not null default clock_timestamp(),
    next_at timestamptz not null default now(),
    finished_at timestamptz
  )`,
  `create index source_command_open on source_command (id) where finished_at is null`,

  `alter table outcome add column unknowns integer not null default 0`,
];
