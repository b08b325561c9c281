import { sql } from 'kysely';
import type { Database } from '../database';

/** The part of a change that a waiting request needs. */
export interface ChangeProgress {
  readonly ended: boolean;
  readonly authApplied: boolean;
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
