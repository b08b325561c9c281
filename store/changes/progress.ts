import { sql } from 'kysely';
import type { Database } from '../database';

/** As much of a change as those need who wait for it. */
export interface ChangeProgress {
  readonly ended: boolean;
  readonly authApplied: boolean;
}

/** Many at once: everybody who waits is told by one statement. */
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
