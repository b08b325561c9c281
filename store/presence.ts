import { sql } from 'kysely';
import type { Database } from './database';

/** Workers say now and then that they are there, so that the api can tell people what an accepted change waits for. */
const GONE_AFTER = '20 seconds';
export const SAY_EVERY_MS = 5_000;

/** What keeps changes from going on; null when nothing does. */
export type Standstill = 'no_worker' | 'no_engine' | null;

export async function sayPresent(
  db: Database,
  workerId: string,
  engineReachable: boolean,
): Promise<void> {
  await sql`
    insert into worker_presence (worker_id, engine_reachable) values (${workerId}, ${engineReachable})
    on conflict (worker_id) do update set engine_reachable = excluded.engine_reachable, seen_at = now()`.execute(
    db,
  );
}

export async function sayGone(db: Database, workerId: string): Promise<void> {
  await sql`
    delete from worker_presence
    where worker_id = ${workerId} or seen_at < now() - ${GONE_AFTER}::interval`.execute(db);
}

export async function standstill(db: Database): Promise<Standstill> {
  const { rows } = await sql<{ workers: number; engines: number }>`
    select count(*)::int as workers, count(*) filter (where engine_reachable)::int as engines
    from worker_presence where seen_at > now() - ${GONE_AFTER}::interval`.execute(db);
  const { workers = 0, engines = 0 } = rows[0] ?? {};
  if (workers === 0) return 'no_worker';
  return engines === 0 ? 'no_engine' : null;
}
