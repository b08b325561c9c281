import { type RawBuilder, sql } from 'kysely';
import type { ExpirySettings } from '../../model/policy/expiry';
import type { Database } from '../database';

/**
 * When the password of each person was last changed, as far as it is known: by the newest change whose password the auth
 * account holds, or as the source itself reported it to the last look. A person whose account is missing has none.
 */
const changedIn = (authSource: string): RawBuilder<unknown> => sql`
  select a.identity_id, max(greatest(coalesce(c.captured_at, c.created_at), a.changed_there_at)) as changed_at
  from account a left join change c on c.identity_id = a.identity_id and c.seq = a.applied_seq
  where a.source = ${authSource} and a.missing_since is null and a.problem is null
  group by a.identity_id`;

/** Reads when the password of a person was last changed in an auth source; null when that is unknown. */
export async function readChangedAt(
  db: Database,
  identityId: string,
  authSource: string,
): Promise<Date | null> {
  const { rows } = await sql<{ changedAt: Date | null }>`
    select changed_at as "changedAt" from (${changedIn(authSource)}) changed
    where identity_id = ${identityId}`.execute(db);
  return rows[0]?.changedAt ?? null;
}

/**
 * Writes the reminders that are due for a group. Of several that are due at once, for example after an outage, a person
 * gets the last one only. The key of each makes sure that it is written once; an expired password is reported again when
 * its notice is deleted.
 */
export async function remindOfExpiry(
  db: Database,
  group: string,
  authSource: string,
  { maxAgeDays, remindDaysBefore }: ExpirySettings,
): Promise<void> {
  await sql`
    with due as (
      select identity_id, changed_at + make_interval(days => ${maxAgeDays}) as ends_at
      from (${changedIn(authSource)}) changed where changed_at is not null
    ), reminder as (
      select identity_id, ends_at, case when ends_at <= now() then 0 else (
               select min(days) from unnest(${[...remindDaysBefore]}::int[]) as days
               where ends_at <= now() + make_interval(days => days)) end as days
      from due
    )
    insert into notice (kind, key, identity_id, detail)
    select case days when 0 then 'password_expired' else 'password_expiring' end,
           'password_expiring:' || identity_id || ':' || ${group}::text || ':' || extract(epoch from ends_at)::bigint || ':' || days,
           identity_id, jsonb_build_object('about', ${group}::text, 'endsAt', ends_at)
    from reminder where days is not null
    on conflict (key) do nothing`.execute(db);
}
