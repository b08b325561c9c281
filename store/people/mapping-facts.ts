import { sql } from 'kysely';
import type { KnownAccount, KnownMapping, KnownPerson } from '../../model/people/mapping-plan';
import type { Database } from '../database';

/** What the rows of a list of mappings name. */
export interface NamedInRows {
  readonly applications: readonly string[];
  /** The sources of these applications. */
  readonly sources: readonly string[];
  readonly identities: readonly string[];
  /** Accounts by source and canonical name. */
  readonly accounts: readonly { readonly source: string; readonly key: string }[];
}

interface Facts {
  readonly people: readonly KnownPerson[];
  readonly accounts: readonly KnownAccount[];
  readonly mappings: readonly KnownMapping[];
}

/** Reads everything that is needed to decide about rows of mappings, in three statements for any number of rows. */
export async function readMappingFacts(db: Database, named: NamedInRows): Promise<Facts> {
  const people = await readPeople(db, named.identities);
  const accounts = await readAccounts(db, named, people);
  const { rows: mappings } = await sql<KnownMapping>`
    select application, identity_id as "identityId", account_id as "accountId" from mapping
    where application = any(${[...named.applications]}::text[])
      and identity_id = any(${accounts.map(({ identityId }) => identityId)}::text[])`.execute(db);
  return { people, accounts, mappings };
}

/** The people of these names, in any case. */
async function readPeople(db: Database, names: readonly string[]): Promise<KnownPerson[]> {
  const { rows } = await sql<KnownPerson>`
    select id, name from identity
    where name = any(${[...names]}::text[]) or lower(name) in (select lower(n) from unnest(${[...names]}::text[]) n)`.execute(
    db,
  );
  return rows;
}

/** The named accounts, and the accounts of their people and of `people` in the sources of the applications. */
async function readAccounts(
  db: Database,
  { sources, accounts }: NamedInRows,
  people: readonly KnownPerson[],
): Promise<KnownAccount[]> {
  const { rows } = await sql<KnownAccount>`
    with named as (
      select a.id, a.identity_id from account a
      join unnest(${accounts.map(({ source }) => source)}::text[], ${accounts.map(({ key }) => key)}::text[])
        as n (source, name_key) on n.source = a.source and n.name_key = a.name_key
    )
    select a.id, a.source, a.name, a.identity_id as "identityId", i.name as identity, a.problem
    from account a join identity i on i.id = a.identity_id
    where a.id in (select id from named)
       or (a.source = any(${[...sources]}::text[])
           and (a.identity_id in (select identity_id from named)
                or a.identity_id = any(${people.map(({ id }) => id)}::text[])))`.execute(db);
  return rows;
}

/** The people after a name, in the order of their names, with their attributes. */
export async function readPeopleAfter(
  db: Database,
  after: string | null,
  limit: number,
): Promise<{ readonly name: string; readonly attributes: Readonly<Record<string, string>> }[]> {
  return db
    .selectFrom('identity')
    .select(['name', 'attributes'])
    .$if(after !== null, (query) => query.where('name', '>', after ?? ''))
    .orderBy('name')
    .limit(limit)
    .execute();
}
