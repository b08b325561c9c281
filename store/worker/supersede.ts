import { sql } from 'kysely';

/**
 * Once the auth account holds the new password, older changes of the person have nothing left to do: they are told so
 * (decision 0002).
 * @param settled the part of the statement that has the outcomes settled in it
 */
export const supersedeOlder = (changeId: string, settled: 'planned' | 'recorded') => sql`
  insert into command (change_id, kind, requested_by)
  select older.id, 'supersede', newer.id
  from change newer join change older on older.identity_id = newer.identity_id and older.seq < newer.seq
  where newer.id = ${changeId} and older.ended_at is null and older.groups && newer.groups
    and exists (select from ${sql.table(settled)} where role = 'auth' and state = 'applied')
  returning change_id`;
