import { sql } from 'kysely';
import type { Database } from './database';

/** A worker that has not reported for this long is regarded as gone. */
const GONE_AFTER = '20 seconds';
/** Interval at which each worker reports that it is present, so that the api can show why an accepted change waits. */
export const PRESENCE_INTERVAL_MS = 5_000;

/** Why no change makes progress; null when a worker is present and reaches the engine. */
export type Standstill = 'no_worker' | 'no_engine' | null;

/**
 * Records that a worker is running, and whether it reaches the engine.
 * @param engineLacks what the engine must have for changes to start, and has not
 */
export async function reportPresence(
  db: Database,
  workerId: string,
  engineReachable: boolean,
  engineLacks: readonly string[] = [],
): Promise<void> {
  await sql`
    insert into worker_presence (worker_id, engine_reachable, engine_lacks)
    values (${workerId}, ${engineReachable}, ${[...engineLacks]}::text[])
    on conflict (worker_id) do update
    set engine_reachable = excluded.engine_reachable, engine_lacks = excluded.engine_lacks, seen_at = now()`.execute(
    db,
  );
}

/** Reads what the engines of the present workers lack. */
export async function readEngineLacks(db: Database): Promise<string[]> {
  const { rows } = await sql<{ lack: string }>`
    select distinct unnest(engine_lacks) as lack from worker_presence
    where seen_at > now() - ${GONE_AFTER}::interval order by lack`.execute(db);
  return rows.map(({ lack }) => lack);
}

/** Removes the presence of a worker that stops, and that of workers that have not reported for 20 seconds. */
export async function removePresence(db: Database, workerId: string): Promise<void> {
  await sql`
    delete from worker_presence
    where worker_id = ${workerId} or seen_at < now() - ${GONE_AFTER}::interval`.execute(db);
}

/** Why no change makes progress now; null when a present worker reaches the engine. */
export async function standstill(db: Database): Promise<Standstill> {
  const { rows } = await sql<{ workers: number; engines: number }>`
    select count(*)::int as workers, count(*) filter (where engine_reachable)::int as engines
    from worker_presence where seen_at > now() - ${GONE_AFTER}::interval`.execute(db);
  const { workers = 0, engines = 0 } = rows[0] ?? {};
  if (workers === 0) return 'no_worker';
  return engines === 0 ? 'no_engine' : null;
}
