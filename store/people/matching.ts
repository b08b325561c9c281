import { sql } from 'kysely';
import type { Person } from '../../model/people/correlation';
import type { Database } from '../database';

/** A person with their id, for matching accounts with people. */
export interface KnownPerson extends Person {
  readonly id: string;
}

/** Reads all people, for a refresh, which compares all accounts of a source with them. */
export async function readPeople(db: Database): Promise<KnownPerson[]> {
  return db.selectFrom('identity').select(['id', 'name', 'attributes']).orderBy('id').execute();
}

/** Reads the people who have one of these values as their name or as an attribute. */
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
 * Reads the linked accounts of a source: the id of the person by the name of the account.
 * @param among limits the result to the account of this name and the accounts of these people
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
