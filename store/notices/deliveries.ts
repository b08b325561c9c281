import { sql } from 'kysely';
import type { NoticeKind } from '../../model/notices/kinds';
import type { DeliveryReason } from '../../model/notices/retry';
import type { Database } from '../database';

/** One delivery that is to be attempted, with everything that its notice reports. */
export interface DeliveryAtWork {
  readonly id: string;
  readonly channel: string;
  readonly recipient: string | null;
  /** Attempts so far, counting this one. */
  readonly attempts: number;
  /** Time since the notice was due, in milliseconds by the clock of the database. */
  readonly ageMs: number;
  readonly noticeId: string;
  readonly kind: NoticeKind;
  readonly subject: string | null;
  readonly reminder: boolean;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly at: Date;
  readonly changeId: string | null;
  readonly person: string | null;
  readonly attributes: Readonly<Record<string, string>> | null;
  /** Id of the person in Lockstep. */
  readonly identityId: string | null;
  /** The sources of the change whose accounts do not hold the new password. */
  readonly sources: readonly string[];
  /** Those of them in which a write may have reached an account. */
  readonly unsure: readonly string[];
  /** Who started the change: `user` by their own password or in a source, `admin` by the help desk; null if unknown. */
  readonly startedBy: 'user' | 'admin' | null;
}

/** The ids of the deliveries of a notice that are not settled. Without any, the notice is sent. */
export async function openDeliveries(db: Database, noticeId: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with open as (
      select id from notice_delivery where notice_id = ${noticeId} and state = 'waiting'
    ), sent as (
      update notice set state = 'sent'
      where id = ${noticeId} and state = 'sending' and not exists (select from open)
    )
    select id from open order by id`.execute(db);
  return rows.map(({ id }) => id);
}

/** Counts an attempt and reads what to send; null when the delivery is settled or was removed. */
export async function beginDelivery(db: Database, id: string): Promise<DeliveryAtWork | null> {
  const { rows } = await sql<DeliveryAtWork>`
    with begun as (
      update notice_delivery set attempts = attempts + 1, updated_at = now()
      where id = ${id} and state = 'waiting'
      returning id, notice_id, channel, recipient, attempts
    )
    select b.id, b.channel, b.recipient, b.attempts, n.id as "noticeId", n.kind, n.subject, n.reminder, n.detail,
           n.created_at as at, n.change_id as "changeId", n.identity_id as "identityId",
           (extract(epoch from now() - n.due_at) * 1000)::float8 as "ageMs",
           i.name as person, i.attributes,
           array(select distinct o.source from outcome o
                 where o.change_id = n.change_id and o.state in ('rejected', 'expired')
                 order by o.source) as sources,
           array(select distinct o.source from outcome o
                 where o.change_id = n.change_id and o.state in ('rejected', 'expired') and o.in_doubt
                 order by o.source) as unsure,
           case when c.captured_at is not null or k.scopes <@ array['change-own', 'person'] then 'user'
                when k.agent is not null then 'admin' end as "startedBy"
    from begun b join notice n on n.id = b.notice_id
      left join identity i on i.id = n.identity_id
      left join change c on c.id = n.change_id
      left join api_key k on k.id = c.requested_by`.execute(db);
  return rows[0] ?? null;
}

/** How an attempt at a delivery ended. */
export interface DeliveryEnd {
  readonly state: 'delivered' | 'failed' | 'waiting';
  readonly reason: DeliveryReason | null;
  /** Time until the next attempt, in milliseconds; null unless the state is `waiting`. */
  readonly nextTryInMs: number | null;
}

/** Records how an attempt ended. A failure for good is audited by the same statement. */
export async function endAttempt(db: Database, id: string, end: DeliveryEnd): Promise<void> {
  await sql`
    with ended as (
      update notice_delivery
      set state = ${end.state}, reason = ${end.reason}, updated_at = now(),
          next_try_at = now() + make_interval(secs => ${end.nextTryInMs}::double precision / 1000)
      where id = ${id} and state = 'waiting'
      returning notice_id, channel, state, reason
    )
    insert into audit (actor, action, change_id, subject, detail)
    select 'worker', 'notice.failed', n.change_id, e.channel,
           jsonb_build_object('notice', n.id, 'kind', n.kind, 'reason', e.reason)
    from ended e join notice n on n.id = e.notice_id where e.state = 'failed'`.execute(db);
}
