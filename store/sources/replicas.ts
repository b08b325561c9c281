import { sql } from 'kysely';
import type { Replica } from '../../model/captures/replica';
import type { Database } from '../database';

/** Reads the servers that each source reported last, by source. */
export async function readReplicas(db: Database): Promise<ReadonlyMap<string, readonly Replica[]>> {
  const rows = await db
    .selectFrom('replica')
    .select(['source', 'host', 'writable'])
    .orderBy('host')
    .execute();
  const bySource = new Map<string, Replica[]>();
  for (const { source, ...replica } of rows)
    bySource.set(source, [...(bySource.get(source) ?? []), replica]);
  return bySource;
}

/** Saves the servers that a source reports, and removes those that it no longer reports. */
export async function saveReplicas(
  db: Database,
  source: string,
  replicas: readonly Replica[],
): Promise<void> {
  const hosts = replicas.map(({ host }) => host);
  await sql`
    with gone as (
      delete from replica where source = ${source} and host <> all(${hosts}::text[])
    )
    insert into replica (source, host, writable)
    select distinct on (host) ${source}, host, writable
    from unnest(${hosts}::text[], ${replicas.map(({ writable }) => writable)}::boolean[]) as reported (host, writable)
    on conflict (source, host) do update set writable = excluded.writable, seen_at = now()`.execute(
    db,
  );
}
