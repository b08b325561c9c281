import type { Database } from '../../store/database';

/** Number of audit records whose action matches an SQL pattern. */
export async function audited(db: Database, pattern: string): Promise<number> {
  const records = await db
    .selectFrom('audit')
    .select('id')
    .where('action', 'like', pattern)
    .execute();
  return records.length;
}
