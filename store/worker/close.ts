import { sql } from 'kysely';
import type { ChangeState } from '../../model/change/change';
import type { ErrorCode } from '../../model/errors';
import { countEnded, type EndedChange } from '../changes/counters';
import { endedNotice } from '../changes/progress';
import type { Database } from '../database';
import { incompleteNotice } from '../notices/write';
import { channels } from '../notifications';

/** The final state of a change, and its reason if it has one. */
export interface Ending {
  readonly state: ChangeState;
  readonly reason: ErrorCode | null;
  /** The sentence about the change, for its audit record. */
  readonly says?: string;
}

/**
 * Ends a change whose outcomes are all settled: one statement sets its state and deletes its sealed password. If the
 * change has ended before, its state stays; its password is deleted in any case.
 */
export async function endChange(db: Database, changeId: string, ending: Ending): Promise<void> {
  const { rows } = await sql<Omit<EndedChange, 'state'>>`
    with ended as (
      update change set state = ${ending.state}, reason = ${ending.reason}, ended_at = now()
      where id = ${changeId} and ended_at is null
      returning id, identity_id, state, created_at, captured_at, ended_at
    ), destroyed as (
      delete from sealed_secret where change_id = ${changeId}
    ), unsent as (
      update adapter_message set sealed = null where change_id = ${changeId} and sealed is not null
    ), audited as (
      insert into audit (actor, action, change_id, detail)
      select 'worker', 'change.' || ${ending.state}::text, id,
             jsonb_build_object('reason', ${ending.reason}::text)
             || jsonb_strip_nulls(jsonb_build_object('says', ${ending.says ?? null}::text))
      from ended
    ), noticed as (${incompleteNotice('ended')})
    select extract(epoch from ended_at - created_at)::float8 as seconds,
           extract(epoch from ended_at - captured_at)::float8 as "captureSeconds",
           pg_notify(${channels.progress}, ${endedNotice(sql`id`)}) from ended`.execute(db);
  for (const ended of rows) countEnded({ ...ended, state: ending.state });
}

/**
 * Deletes sealed passwords that have expired, whatever the state of their change (I9).
 * @returns how many were deleted
 */
export async function deleteExpiredSecrets(db: Database): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from sealed_secret where expires_at <= now()`.execute(db);
  return Number(numAffectedRows ?? 0n);
}
