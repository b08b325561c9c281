import { sql } from 'kysely';
import type { JobProgress } from '../../model/api/jobs';
import type { LastRefresh } from '../../model/people/refresh-schedule';
import { type Database, withTransaction } from '../database';
import { requestJob } from './jobs';

/** Only one worker requests the refreshes that are due at a time. */
const SCHEDULE_LOCK = 0x72656672;

/** The newest refresh of a source that was no preview, as an operator sees it. */
export interface RefreshState extends LastRefresh {
  readonly job: string;
  /** How far it is while it is open; null before the first account was read. */
  readonly progress: JobProgress | null;
}

/** Reads the newest refresh of each source, by the name of the source. A preview is no refresh. */
export async function readLastRefreshes(db: Database): Promise<ReadonlyMap<string, RefreshState>> {
  const { rows } = await sql<RefreshState & { source: string }>`
    select distinct on (source) source, id as job, created_at as "requestedAt", finished_at as "finishedAt",
           state = 'failed' or coalesce(result ? 'code' or result ->> 'failed' is not null, false) as failed, progress
    from job
    where kind = 'refresh' and source is not null and not coalesce((parameters ->> 'preview')::boolean, false)
    order by source, created_at desc`.execute(db);
  return new Map(rows.map(({ source, ...last }) => [source, last]));
}

export interface DueRefresh {
  readonly source: string;
  /** Whether the source is also asked when each password was last changed. */
  readonly look: boolean;
}

/**
 * Requests the refreshes that are due. Any number of workers may call it at the same time: one of them requests each
 * refresh once.
 * @param dueIn returns the sources that are due, by the newest refresh of each source and the clock of the database
 * @returns the sources that are refreshed now
 */
export async function requestDueRefreshes(
  db: Database,
  dueIn: (last: ReadonlyMap<string, LastRefresh>, now: Date) => readonly DueRefresh[],
): Promise<readonly DueRefresh[]> {
  return withTransaction(db, async (trx) => {
    const { rows } = await sql<{ got: boolean; now: Date }>`
      select pg_try_advisory_xact_lock(${SCHEDULE_LOCK}) as got, clock_timestamp() as now`.execute(
      trx,
    );
    const [row] = rows;
    if (row?.got !== true) return [];
    const due = dueIn(await readLastRefreshes(trx), row.now);
    for (const { source, look } of due) {
      const requestedBy = 'worker';
      await requestJob(trx, {
        ...{ kind: 'refresh', source, requestedBy },
        parameters: { preview: false },
      });
      if (look) await requestJob(trx, { kind: 'look', source, parameters: {}, requestedBy });
    }
    return due;
  });
}
