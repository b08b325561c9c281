import { type Kysely, sql } from 'kysely';

/** Adds the last declined capture of each account, and an index of the captured changes that ended without effect. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table declined_capture (
    account_id text primary key references account on delete cascade,
    reason text not null,
    captured_at timestamptz not null
  )`,
  `create index change_captured_in_vain on change (origin_account_id)
    where origin_account_id is not null
      and state in ('refused', 'expired', 'cancelled', 'superseded', 'failed')`,
];
