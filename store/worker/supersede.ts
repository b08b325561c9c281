import { type RawBuilder, sql } from 'kysely';

/**
 * Part of a statement that gives older open changes of the person the command `supersede`, once the auth account
 * holds the new password (decision 0002). Older changes have nothing left to do then. A partial change replaces none,
 * because it says nothing about the other accounts.
 *
 * An older change stays while it is in doubt about an account of a source in `inOrderAt`: the next write there needs the
 * password that the account holds (decision 0053). It gets the command when it has settled that account.
 * @param settled name of the CTE in which outcomes were settled
 */
export const supersedeOlder = (
  changeId: string,
  settled: 'planned' | 'recorded',
  inOrderAt: readonly string[] = [],
) => sql`
  insert into command (change_id, kind, requested_by)
  select older.id, 'supersede', newer.id
  from change newer join change older on older.identity_id = newer.identity_id and older.seq < newer.seq
  where newer.id = ${changeId} and not newer.partial and older.ended_at is null and older.groups && newer.groups
    and exists (select from ${sql.table(settled)} where role = 'auth' and state = 'applied')
    ${inOrderAt.length === 0 ? sql`` : sql`and not exists (${inDoubtAt(inOrderAt, sql`older.id`)})`}
  ${inOrderAt.length === 0 || settled === 'planned' ? sql`` : sql`union all ${supersededSince(changeId, inOrderAt)}`}
  returning change_id`;

/** The open accounts of a change in these sources that may hold its password. */
const inDoubtAt = (sources: readonly string[], changeId: RawBuilder<string>) => sql`
  select from outcome o where o.change_id = ${changeId} and o.source = any(${[...sources]}::text[])
    and (o.state = 'applying' or (o.state = 'waiting' and o.in_doubt))`;

/** The change itself, if a newer one has replaced it while it was in doubt, and it is not any more. */
const supersededSince = (changeId: string, sources: readonly string[]) => sql`
  select older.id, 'supersede', newer.id
  from change older join change newer on newer.identity_id = older.identity_id and newer.seq > older.seq
    join outcome auth on auth.change_id = newer.id and auth.role = 'auth' and auth.state = 'applied'
  where older.id = ${changeId} and older.ended_at is null and not newer.partial and older.groups && newer.groups
    and exists (select from recorded where state <> 'waiting' and source = any(${[...sources]}::text[]))
    and not exists (${inDoubtAt(sources, sql`older.id`)}
                      and o.label not in (select label from recorded where state <> 'waiting'))`;
