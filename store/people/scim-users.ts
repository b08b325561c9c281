import { type RawBuilder, sql } from 'kysely';
import type { Naming } from '../../model/people/naming';
import type {
  Comparison,
  ScimAttribute,
  ScimComparison,
  ScimFilter,
} from '../../model/people/scim-filter';
import { type Database, isUniqueViolation } from '../database';
import { newId } from '../ids';
import { isNamed } from './account-names';

/**
 * A user that an identity provider has pushed for a source. Users are bookkeeping of the provider: they have no
 * effect on accounts, and an account of that name need not exist.
 */
export interface ScimUser extends ScimFields {
  readonly id: string;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ScimFields {
  readonly userName: string;
  readonly externalId: string | null;
  /** Null: the provider has unassigned it. */
  readonly active: boolean | null;
}

const columns = sql`
  id, user_name as "userName", external_id as "externalId", active, version,
  created_at as "createdAt", updated_at as "updatedAt"`;

/**
 * Stores a pushed user.
 * @returns null when the source has a user of that name already
 */
export async function createScimUser(
  db: Database,
  source: string,
  { userName, externalId, active }: ScimFields,
  by: string,
): Promise<ScimUser | null> {
  const { rows } = await sql<ScimUser>`
    with created as (
      insert into scim_user (id, source, user_name, external_id, active)
      values (${newId('usr')}, ${source}, ${userName}, ${externalId}, ${active})
      on conflict do nothing
      returning id, source, user_name, external_id, active, version, created_at, updated_at
    ), audited as (
      insert into audit (actor, action, subject, detail)
      select ${by}, 'scim-user.created', id, jsonb_build_object('source', source) from created
    )
    select ${columns} from created`.execute(db);
  return rows[0] ?? null;
}

export async function readScimUser(
  db: Database,
  source: string,
  id: string,
): Promise<ScimUser | null> {
  const { rows } = await sql<ScimUser>`
    select ${columns} from scim_user where source = ${source} and id = ${id}`.execute(db);
  return rows[0] ?? null;
}

/**
 * Lists the users of a source in the order in which they were created.
 * @returns one page of them, and the number of all users that match the filter
 */
export async function listScimUsers(
  db: Database,
  source: string,
  page: { readonly filter: ScimFilter | null; readonly offset: number; readonly limit: number },
): Promise<{ readonly total: number; readonly users: readonly ScimUser[] }> {
  const chosen = page.filter === null ? sql`true` : where(page.filter);
  const wanted = sql`from scim_user where source = ${source} and ${chosen}`;
  const [count, users] = await Promise.all([
    sql<{ total: number }>`select count(*)::int as total ${wanted}`.execute(db),
    sql<ScimUser>`
      select ${columns} ${wanted} order by id limit ${page.limit} offset ${page.offset}`.execute(
      db,
    ),
  ]);
  return { total: count.rows[0]?.total ?? 0, users: users.rows };
}

/**
 * Column of each attribute. User names are compared without regard to case (RFC 7643 §4.1.1), ids and external ids
 * with it.
 */
const column: Readonly<Record<ScimAttribute, RawBuilder<unknown>>> = {
  id: sql`id`,
  userName: sql`lower(user_name)`,
  externalId: sql`external_id`,
  active: sql`active`,
};

type Condition = (column: RawBuilder<unknown>, value: RawBuilder<unknown>) => RawBuilder<boolean>;

const conditions: Readonly<Record<Comparison, Condition>> = {
  eq: (at, value) => sql`${at} is not distinct from ${value}`,
  ne: (at, value) => sql`${at} is distinct from ${value}`,
  co: (at, value) => sql`coalesce(position(${value} in ${at}) > 0, false)`,
  sw: (at, value) => sql`coalesce(starts_with(${at}, ${value}), false)`,
  ew: (at, value) => sql`coalesce(right(${at}, length(${value})) = ${value}, false)`,
  pr: (at) => sql`${at} is not null`,
};

function where(filter: ScimFilter): RawBuilder<boolean> {
  if ('left' in filter)
    return sql`(${where(filter.left)} ${sql.raw(filter.is)} ${where(filter.right)})`;
  if ('one' in filter) return sql`(not ${where(filter.one)})`;
  return compare(filter);
}

function compare({ is, attribute, value }: ScimComparison): RawBuilder<boolean> {
  if (attribute === null) return sql`false`;
  const typed =
    attribute === 'active'
      ? sql`${value}::boolean`
      : attribute === 'userName'
        ? sql`lower(${value}::text)`
        : sql`${value}::text`;
  return conditions[is](column[attribute], typed);
}

/**
 * Updates a user. A push of the password alone changes nothing here that the audit would record.
 * @param version updates only while the user has this version; null: any
 * @returns the user after the update; null when it does not exist or has another version; `taken` when another user
 *   has the name
 */
export async function updateScimUser(
  db: Database,
  id: string,
  version: number | null,
  { userName, externalId, active }: ScimFields,
  by: string,
): Promise<ScimUser | null | 'taken'> {
  try {
    const { rows } = await sql<ScimUser>`
      with before as (
        select user_name, external_id, active from scim_user where id = ${id}
      ), updated as (
        update scim_user
        set user_name = ${userName}, external_id = ${externalId}, active = ${active},
            version = version + 1, updated_at = date_trunc('milliseconds', now())
        where id = ${id} and (${version}::int is null or version = ${version})
        returning *
      ), audited as (
        insert into audit (actor, action, subject, detail)
        select ${by}, 'scim-user.updated', updated.id, jsonb_build_object('source', updated.source)
        from updated, before
        where (updated.user_name, updated.external_id, updated.active)
              is distinct from (before.user_name, before.external_id, before.active)
      )
      select ${columns} from updated`.execute(db);
    return rows[0] ?? null;
  } catch (error) {
    if (isUniqueViolation(error, 'scim_user_name')) return 'taken';
    throw error;
  }
}

/** Removes a pushed user. The account of that name stays as it is. */
export async function removeScimUser(db: Database, id: string, by: string): Promise<void> {
  await sql`
    with removed as (
      delete from scim_user where id = ${id} returning id, source
    )
    insert into audit (actor, action, subject, detail)
    select ${by}, 'scim-user.removed', id, jsonb_build_object('source', source) from removed`.execute(
    db,
  );
}

/**
 * Finds the linked account of a pushed user: by its external id, exactly, or by its user name, in any spelling that its
 * source takes for the same. When two accounts match, neither is returned: a guess could give the password of one
 * person to another. A link with the external id of another pushed user is not that of this user, whatever its name.
 * @returns the name of the account, or null, and the time of the database
 */
export async function findScimAccount(
  db: Database,
  source: string,
  naming: Naming,
  { userName, externalId }: Pick<ScimFields, 'userName' | 'externalId'>,
): Promise<{ readonly account: string | null; readonly now: Date }> {
  const { rows } = await sql<{ names: string[]; now: Date }>`
    with meant as (
      select name from account
      where source = ${source} and problem is null
        and (native_id = ${externalId}
             or ${isNamed(source, naming, userName)} and not exists (
               select from scim_user u
               where u.source = account.source and u.external_id = account.native_id
                 and u.external_id is distinct from ${externalId}))
    )
    select coalesce(json_agg(name), '[]') as names, date_trunc('milliseconds', now()) as now
    from meant`.execute(db);
  const { names = [], now = new Date(0) } = rows[0] ?? {};
  return { account: names.length === 1 ? (names[0] ?? null) : null, now };
}
