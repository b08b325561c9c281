import { sql } from 'kysely';
import type { Person } from '../../model/people/correlation';
import type { Database } from '../database';

/** For a refresh, which compares whole sources with all people at once. */
export interface KnownPerson extends Person {
  readonly id: string;
}

export async function readPeople(db: Database): Promise<KnownPerson[]> {
  return db.selectFrom('identity').select(['id', 'name', 'attributes']).orderBy('id').execute();
}

/** Those who have one of these values as their name or an attribute. */
export async function readPeopleLike(
  db: Database,
  values: readonly string[],
): Promise<KnownPerson[]> {
  const { rows } = await sql<KnownPerson>`
    select id, name, attributes from identity
    where name = any(${[...values]}::text[]) or exists (
      select from jsonb_each_text(attributes) where value = any(${[...values]}::text[]))
    order by id`.execute(db);
  return rows;
}

/**
 * Names of the accounts of a source that belong to somebody, and the id of that person.
 * @param among of this name, or of these people
 */
export async function readLinkedNames(
  db: Database,
  source: string,
  among?: { readonly name: string; readonly people: readonly KnownPerson[] },
): Promise<Map<string, string>> {
  const ids = among?.people.map(({ id }) => id) ?? [];
  const rows = await db
    .selectFrom('account')
    .select(['name', 'identity_id'])
    .where('source', '=', source)
    .$if(among !== undefined, (query) =>
      query.where((where) =>
        where.or([
          where('name', '=', among?.name ?? ''),
          where('identity_id', '=', sql<string>`any(${ids}::text[])`),
        ]),
      ),
    )
    .execute();
  return new Map(rows.map(({ name, identity_id }) => [name, identity_id]));
}
