import { sql } from 'kysely';
import type { Database } from './database';
import { channels } from './notifications';

/** What is asked for accounts that wait. What is being written at that moment is left to its attempt. */

export interface CommandedAccount {
  readonly label: string;
  readonly source: string;
}

/** They may be tried at once. @returns which ones */
export async function endWait(
  db: Database,
  changeId: string,
  label: string | null,
): Promise<CommandedAccount[]> {
  const { rows } = await sql<CommandedAccount>`
    update outcome set state = 'waiting', next_try_at = now(), updated_at = now()
    where ${those(changeId, label)} and state in ('waiting', 'parked')
    returning label, source`.execute(db);
  return rows;
}

/** They are tried no more until somebody says so; the one step that is left to them is to become too old. */
export async function parkAccounts(
  db: Database,
  changeId: string,
  label: string | null,
): Promise<void> {
  await sql`
    with parked as (
      update outcome set state = 'parked', updated_at = now(),
        next_try_at = (select expires_at from change where id = ${changeId})
      where ${those(changeId, label)} and state = 'waiting' returning change_id, label, reason, attempts
    ), ${audited('parked')}
    select pg_notify(${channels.progress}, ${changeId}) from parked limit 1`.execute(db);
}

/** They are left as they are, for good. @returns which ones */
export async function cancelAccounts(
  db: Database,
  changeId: string,
  label: string | null,
): Promise<CommandedAccount[]> {
  const { rows } = await sql<CommandedAccount>`
    with cancelled as (
      update outcome set state = 'cancelled', reason = null, next_try_at = null, updated_at = now()
      where ${those(changeId, label)} and state in ('pending', 'waiting', 'parked')
      returning change_id, label, source, reason, attempts
    ), ${audited('cancelled')}
    select label, source, pg_notify(${channels.progress}, ${changeId}) from cancelled`.execute(db);
  return rows;
}

const those = (changeId: string, label: string | null) =>
  sql`change_id = ${changeId} and (${label}::text is null or label = ${label})`;

const audited = (became: 'parked' | 'cancelled') => sql`
  audited as (
    insert into audit (actor, action, change_id, subject, detail)
    select 'worker', ${`account.${became}`}, change_id, label,
           jsonb_build_object('reason', reason, 'attempts', attempts, 'proof', 'none')
    from ${sql.ref(became)}
  )`;
