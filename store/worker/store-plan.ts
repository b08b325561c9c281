import { sql } from 'kysely';
import type { PlannedAccount } from '../../model/change/plan';
import type { ErrorCode } from '../../model/errors';
import { settledNotice } from '../changes/progress';
import { type Database, withoutSync } from '../database';
import { passwordChangedNotice } from '../notices/write';
import { channels } from '../notifications';
import {
  type ChangeAtWork,
  countStored,
  type JustStored,
  type OutcomeStatus,
  secondsSince,
} from './outcomes';
import { earlierClaim, retryBehind } from './release';
import { supersedeOlder } from './supersede';
import { LOOK_AGAIN } from './unattended';

/**
 * Stores the plan of a change: one outcome for each planned account. A second plan of the same change has no effect.
 *
 * The account in which the password was captured holds it already, unless `acceptChange` found it in doubt: its outcome
 * is `applied`. An account in doubt is `pending` and is verified before it is written. The same goes for every account
 * of a change that `looks_first`.
 *
 * A refusal ends the change in the same statement: the auth account is rejected for it, and no other account is
 * attempted. A change whose capture is of another account also forgets its origin, whose password it does not have.
 *
 * Does not wait for the disk: a plan that a crash of the database undoes is made again, and the claim, which does wait,
 * is durable only together with the plan.
 *
 * @param refusal why nothing may be written; null when the plan is carried out
 * @param notifiesPerson whether a channel sends notices to people
 * @param inOrderAt the sources that need the old password with the new one
 * @returns the status of every account, in the order of the plan; null when nothing was stored
 */
export async function storePlan(
  db: Database,
  changeId: string,
  accounts: readonly PlannedAccount[],
  refusal: ErrorCode | null = null,
  {
    notifiesPerson = false,
    inOrderAt = [],
  }: Pick<ChangeAtWork, 'notifiesPerson' | 'inOrderAt'> = {},
): Promise<OutcomeStatus[] | null> {
  const refused = refusal !== null;
  const { rows } = await sql<OutcomeStatus & JustStored>`
    with begun as (
      update change
      set state = 'applying', planned_at = now(),
          -- Its workflow is running, because it has made the plan.
          attended_until = now() + ${LOOK_AGAIN}::interval,
          origin_account_id = case when ${refusal !== ANOTHER_ACCOUNT} then origin_account_id end
      where id = ${changeId} and planned_at is null
      returning id, identity_id, seq, origin_account_id, captured_at, looks_first, created_at
    ), origin as (
      select a.id from begun join account a on a.id = begun.origin_account_id
      where a.id = any(${accounts.map((a) => a.accountId)}::text[])
        and a.identity_id = begun.identity_id and a.applied_seq = begun.seq and not ${refused}
    ), disowned as (
      update account a
      set applied_seq = ${earlierPassword},
          claimed_seq = case when a.claimed_seq > begun.seq then a.claimed_seq
                             else greatest(${earlierPassword}, ${earlierClaim(sql`begun.seq`)}) end
      from begun
      where ${refused} and a.identity_id = begun.identity_id
        and (a.claimed_seq = begun.seq or a.applied_seq = begun.seq)
      returning a.id as account_id
    ), planned as (
      insert into outcome (change_id, label, position, source, account_id, account_name, role, state, reason, in_doubt)
      select begun.id, p.label, p.position, p.source, p.account_id, p.account_name, p.role,
             case when origin.id is not null then 'applied'
                  when p.left_out is not null then 'not_applicable'
                  when not ${refused} then 'pending'
                  when p.role = 'auth' then 'rejected' else 'not_attempted' end,
             case when origin.id is not null then 'origin'
                  when p.left_out is not null or not ${refused} then p.left_out
                  when p.role = 'auth' then ${refusal} else 'auth_unchanged' end,
             origin.id is null and p.left_out is null and not ${refused}
               and (begun.looks_first or coalesce(p.account_id = begun.origin_account_id, false))
      from begun cross join unnest(
        ${accounts.map(({ label }) => label)}::text[], ${accounts.map((_, index) => index)}::int[],
        ${accounts.map(({ source }) => source)}::text[], ${accounts.map((a) => a.accountId)}::text[],
        ${accounts.map((a) => a.accountName)}::text[], ${accounts.map(({ role }) => role)}::text[],
        ${accounts.map(({ leftOut }) => leftOut)}::text[]
      ) as p (label, position, source, account_id, account_name, role, left_out)
      left join origin on origin.id = p.account_id
      returning change_id, label, source, role, state, reason, in_doubt, position
    ), audited as (
      insert into audit (actor, action, change_id, subject, detail)
      select 'worker', 'change.planned', id, null, jsonb_build_object('accounts', ${accounts.length}::int) from begun
      union all
      select 'worker', 'account.' || state, change_id, label, jsonb_build_object('reason', reason)
      from planned where state not in ('pending', 'not_applicable')
    ), ${notifiesPerson ? sql`noticed as (${passwordChangedNotice(changeId, 'planned')}),` : sql``}
    superseding as (${supersedeOlder(changeId, 'planned', inOrderAt)}), let_go as (
      ${retryBehind(
        {
          id: sql`${changeId}`,
          identityId: sql`(select identity_id from begun)`,
        },
        sql`disowned released`,
      )}
    )
    select label, source, role, state, reason, in_doubt as "inDoubt", 0::float8 as "nextTryInMs",
           false as attempted, (select ${secondsSince('begun')} from begun) as seconds,
           (select pg_notify(${channels.progress}, ${settledNotice(changeId, 'planned')})),
           (select count(pg_notify(${channels.commanded}, change_id))
            from (select change_id from superseding union select change_id from let_go) as woken),
           ${withoutSync}
    from planned order by position`.execute(db);
  return rows.length === 0 ? null : countStored(rows);
}

const ANOTHER_ACCOUNT: ErrorCode = 'capture_of_another_account';

/** The newest change whose password the account is known to hold, without the one that is planned. */
const earlierPassword = sql`case when a.applied_seq < begun.seq then a.applied_seq else coalesce((
  select max(c.seq) from change c join outcome o on o.change_id = c.id
  where c.identity_id = a.identity_id and c.seq < begun.seq and o.account_id = a.id and o.state = 'applied'), 0) end`;
