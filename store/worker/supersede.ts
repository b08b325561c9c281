import { sql } from 'kysely';

/**
 * Part of a statement that gives older open changes of the person the command `supersede`, once the auth account
 * holds the new password (decision 0002). Older changes have nothing left to do then. A partial change replaces none,
 * because it says nothing about the other accounts.
 * @param settled name of the CTE in which outcomes were settled
 */
export const supersedeOlder = (changeId: string, settled: 'planned' | 'recorded') => sql`
  insert into command (change_id, kind, requested_by)
  select older.id, 'supersede', newer.id
  from change newer join change older on older.identity_id = newer.identity_id and older.seq < newer.seq
  where newer.id = ${changeId} and not newer.partial and older.ended_at is null and older.groups && newer.groups
    and exists (select from ${sql.table(settled)} where role = 'auth' and state = 'applied')
  returning change_id`;
