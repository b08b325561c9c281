import { sql } from 'kysely';
import { CLOCKS_AGREE_MS } from '../../model/captures/capture';
import type { PlannedAccount } from '../../model/change/plan';
import type { Database } from '../database';
import { channels } from '../notifications';
import { supersedeOlder } from './supersede';

/**
 * Stores the plan of a change: one outcome for each planned account. A second plan of the same change has no effect.
 *
 * The account in which the password was captured holds it already: its outcome is `applied`, and older changes no
 * longer write the account. If Lockstep has written that account since the capture, or may have, it is not known
 * which password the account holds. Its outcome is then `pending` and in doubt, so the account is verified before it
 * is written. The same goes for every account of a change that `looks_first`.
 */
export async function storePlan(
  db: Database,
  changeId: string,
  accounts: readonly PlannedAccount[],
): Promise<void> {
  await sql`
    with begun as (
      update change set state = 'applying', planned_at = now()
      where id = ${changeId} and planned_at is null
      returning id, identity_id, seq, origin_account_id, captured_at, looks_first
    ), origin as (
      update account a set applied_seq = begun.seq, claimed_seq = begun.seq, claimed_until = null
      from begun
      where a.id = begun.origin_account_id and a.id = any(${accounts.map((a) => a.accountId)}::text[])
        and a.identity_id = begun.identity_id and ${holdsWhatWasCaptured}
      returning a.id
    ), planned as (
      insert into outcome (change_id, label, position, source, account_id, account_name, role, state, reason, in_doubt)
      select begun.id, p.label, p.position, p.source, p.account_id, p.account_name, p.role,
             case when origin.id is not null then 'applied'
                  when p.left_out is null then 'pending' else 'not_applicable' end,
             case when origin.id is not null then 'origin' else p.left_out end,
             origin.id is null and p.left_out is null
               and (begun.looks_first or coalesce(p.account_id = begun.origin_account_id, false))
      from begun cross join unnest(
        ${accounts.map(({ label }) => label)}::text[], ${accounts.map((_, index) => index)}::int[],
        ${accounts.map(({ source }) => source)}::text[], ${accounts.map((a) => a.accountId)}::text[],
        ${accounts.map((a) => a.accountName)}::text[], ${accounts.map(({ role }) => role)}::text[],
        ${accounts.map(({ leftOut }) => leftOut)}::text[]
      ) as p (label, position, source, account_id, account_name, role, left_out)
      left join origin on origin.id = p.account_id
      returning change_id, label, role, state, reason
    ), audited as (
      insert into audit (actor, action, change_id, subject, detail)
      select 'worker', 'change.planned', id, null, jsonb_build_object('accounts', ${accounts.length}::int) from begun
      union all
      select 'worker', 'account.applied', change_id, label, jsonb_build_object('reason', reason)
      from planned where state = 'applied'
    ), superseding as (${supersedeOlder(changeId, 'planned')})
    select pg_notify(${channels.progress}, id),
           (select count(pg_notify(${channels.accepted}, change_id)) from superseding)
    from begun`.execute(db);
}

/**
 * Condition on account `a` and change `begun`: no write of Lockstep is under way there, and the last one was over
 * before the password was captured. It reads columns of `a`, so that a claim that commits at this moment is seen.
 */
const holdsWhatWasCaptured = sql`
  a.claimed_seq < begun.seq and a.applied_seq < begun.seq
  and (a.claimed_until is null or a.claimed_until < now())
  and (a.claimed_seq = 0 or exists (
    select from change c join outcome o on o.change_id = c.id
    where c.identity_id = a.identity_id and c.seq = a.claimed_seq and o.account_id = a.id
      and o.state not in ('pending', 'applying', 'waiting')
      and (o.reason = 'origin'
           or o.updated_at < begun.captured_at - make_interval(secs => ${CLOCKS_AGREE_MS / 1000}))))`;
