import { type Kysely, sql } from 'kysely';

/**
 * The last 24 hours of each source, which a worker derives from the audit: what was written and refused, which accounts
 * waited, and when the source was down or paused. It begins with what is open now, and with the end of the audit chain.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table history_slot (
    source text not null,
    at timestamptz not null,
    applied integer not null default 0,
    refused integer not null default 0,
    waits_begun integer not null default 0,
    waits_ended integer not null default 0,
    primary key (source, at)
  )`,
  `create table history_wait (
    change_id text not null references change on delete cascade,
    label text not null,
    source text not null,
    since timestamptz not null,
    for_source boolean not null,
    ended_at timestamptz,
    ended_as text,
    primary key (change_id, label)
  )`,
  `create index history_wait_source on history_wait (source, since)`,
  `create index history_wait_open on history_wait (source) where ended_at is null`,
  `create table history_outage (
    id bigint generated always as identity primary key,
    source text not null,
    condition text not null,
    reason text not null,
    since timestamptz not null,
    until timestamptz,
    waited integer not null default 0,
    applied integer not null default 0,
    unsettled integer not null default 0,
    settled_at timestamptz,
    is_final boolean not null default false
  )`,
  `create index history_outage_source on history_outage (source, since)`,
  `create table history_position (
    is_only boolean primary key default true check (is_only),
    position bigint not null
  )`,
  `insert into history_position (position) select coalesce(max(position), 0) from audit`,
  `insert into history_outage (source, condition, reason, since)
   select source, condition, reason, since from source_state`,
  `insert into history_wait (change_id, label, source, since, for_source)
   select o.change_id, o.label, o.source, o.updated_at,
          o.reason in ('unreachable', 'busy', 'throttled', 'certificate_refused', 'service_credential_refused',
                       'source_paused', 'source_in_maintenance')
   from outcome o join change c on c.id = o.change_id
   where c.ended_at is null and o.state in ('waiting', 'parked')`,
];
