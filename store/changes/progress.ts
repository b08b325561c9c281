import { sql } from 'kysely';
import type { Database } from '../database';

/** The part of a change that a waiting request needs, as it is now or as one update has changed it. */
export interface ChangeProgress {
  readonly ended: boolean;
  readonly authApplied: boolean;
}

/** Payload of `channels.progress`, for a statement: the update of `change` has ended it. */
export const endedNotice = (changeId: ReturnType<typeof sql>) => sql`${changeId} || ' ended'`;

/**
 * Payload of `channels.progress`, for a statement that settles accounts.
 * @param settled name of the CTE in which outcomes were settled
 */
export const settledNotice = (changeId: string, settled: 'planned' | 'recorded') => sql`
  ${changeId}::text || case when exists (
    select from ${sql.table(settled)} where role = 'auth' and state = 'applied') then ' auth' else '' end`;

/** The change that a payload of `channels.progress` names, and what it has reached just now. */
export function progressIn(payload: string): ChangeProgress & { readonly id: string } {
  const [id = '', reached] = payload.split(' ');
  return { id, ended: reached === 'ended', authApplied: reached === 'auth' };
}

/** Reads the progress of many changes in one statement, by change id. */
export async function readProgress(
  db: Database,
  changeIds: readonly string[],
): Promise<Map<string, ChangeProgress>> {
  const { rows } = await sql<ChangeProgress & { id: string }>`
    select id, ended_at is not null as ended,
           exists (select from outcome where change_id = change.id and role = 'auth' and state = 'applied') as "authApplied"
    from change where id = any(${[...changeIds]}::text[])`.execute(db);
  return new Map(rows.map(({ id, ...progress }) => [id, progress]));
}
