import type { Person } from '../model/correlation';
import type { Database } from './database';

/** For a refresh, which compares whole sources with all people at once. */
export interface KnownPerson extends Person {
  readonly id: string;
}

export async function readPeople(db: Database): Promise<KnownPerson[]> {
  return db.selectFrom('identity').select(['id', 'name', 'attributes']).orderBy('id').execute();
}

/** Names of the accounts of a source that belong to somebody, and the id of that person. */
export async function readLinkedNames(db: Database, source: string): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('account')
    .select(['name', 'identity_id'])
    .where('source', '=', source)
    .execute();
  return new Map(rows.map(({ name, identity_id }) => [name, identity_id]));
}
