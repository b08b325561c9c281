import { sql } from 'kysely';
import type { KnownPerson } from '../../model/people/refresh';
import type { Database } from '../database';

/** Reads all people, for a refresh, which compares all accounts of a source with them. */
export async function readPeople(db: Database): Promise<KnownPerson[]> {
  return db.selectFrom('identity').select(['id', 'name', 'attributes']).orderBy('id').execute();
}

/**
 * Reads the people who have one of these values as their name or as an attribute, in any case. The rules decide which of
 * them match.
 */
export async function readPeopleLike(
  db: Database,
  values: readonly string[],
): Promise<KnownPerson[]> {
  const { rows } = await sql<KnownPerson>`
    select id, name, attributes from identity
    where lockstep_values(name, attributes) &&
          (select coalesce(array_agg(lower(value)), '{}') from unnest(${[...values]}::text[]) as value)
    order by id`.execute(db);
  return rows;
}

/** Reads which of these people have a linked account in a source. */
export async function readPeopleLinkedIn(
  db: Database,
  source: string,
  people: readonly KnownPerson[],
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('account')
    .select('identity_id')
    .where('source', '=', source)
    .where('identity_id', '=', sql<string>`any(${people.map(({ id }) => id)}::text[])`)
    .execute();
  return new Set(rows.map(({ identity_id }) => identity_id));
}
