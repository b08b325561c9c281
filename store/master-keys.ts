import { sql } from 'kysely';
import type { Database } from './database';
import { presentWorkers } from './presence';

/** What the database knows about the master keys. The keys themselves are outside of it. */

/** How many credentials each master key seals. */
export async function credentialsByKey(db: Database): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ id: string; count: number }>`
    select master_key_id as id, count(*)::int as count from mapping where sealed is not null
    group by master_key_id`.execute(db);
  return new Map(rows.map(({ id, count }) => [id, count]));
}

/** The newest of the keys with which present workers seal new credentials; null when none can, or none runs. */
export async function currentMasterKey(db: Database): Promise<string | null> {
  const { rows } = await sql<{ id: string | null }>`
    select max(current_master_key) as id from ${presentWorkers}`.execute(db);
  return rows[0]?.id ?? null;
}
