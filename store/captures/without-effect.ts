import { sql } from 'kysely';
import type { NoEffectReason, WithoutEffect } from '../../model/captures/without-effect';
import { endedInVain } from '../../model/change/change';
import type { Database } from '../database';

/** The states as literals, so that PostgreSQL can use the index `change_captured_in_vain`. */
export const capturedInVain = sql.join(endedInVain.map((state) => sql.lit(state)));

/**
 * Part of a statement: the newest capture of account `a` that had no effect, in the columns of `WithoutEffect`. No row
 * if the account was written or captured successfully since, or while a change of the person is in progress.
 */
export const newestWithoutEffect = sql`
  select newest.at, newest.reason, newest."changeId" from (
    select captured_at as at, reason, null as "changeId" from declined_capture where account_id = a.id
    union all
    select captured_at, coalesce(reason, state), id from change
    where origin_account_id = a.id and identity_id = a.identity_id and state in (${capturedInVain})
    order by at desc limit 1) newest
  where not exists (
    select from change c left join outcome o on o.change_id = c.id and o.account_id = a.id
    where c.identity_id = a.identity_id
      and (c.ended_at is null
           or c.state not in (${capturedInVain}) and o.state = 'applied'
              and case when o.reason = 'origin' then c.captured_at else o.updated_at end > newest.at))`;

/** How many accounts of a source differ from the others of their person, because a capture had no effect. */
export interface CountedWithoutEffect {
  readonly source: string;
  readonly reason: NoEffectReason;
  readonly accounts: number;
  readonly latestAt: Date;
}

export async function countWithoutEffect(db: Database): Promise<CountedWithoutEffect[]> {
  const { rows } = await sql<CountedWithoutEffect>`
    with candidate as (
      select account_id as id from declined_capture
      union
      select origin_account_id from change where origin_account_id is not null and state in (${capturedInVain})
    )
    select a.source, e.reason, count(*)::int as accounts, max(e.at) as "latestAt"
    from candidate join account a using (id) cross join lateral (${newestWithoutEffect}) e
    group by a.source, e.reason order by a.source, e.reason`.execute(db);
  return rows;
}

/** Part of a statement: remembers a declined capture of an account, unless a later one is remembered. */
export const rememberDeclined = (
  account: ReturnType<typeof sql>,
  { reason, at }: Pick<WithoutEffect, 'at'> & { readonly reason: string },
) => sql`
  insert into declined_capture as earlier (account_id, reason, captured_at)
  select id, ${reason}, least(${at}::timestamptz, now()) from ${account}
  on conflict (account_id) do update set reason = excluded.reason, captured_at = excluded.captured_at
    where earlier.captured_at <= excluded.captured_at`;
