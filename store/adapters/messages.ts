import { sql } from 'kysely';
import type { Acknowledgement, MessageResult } from '../../model/adapters/message';
import type { Reason } from '../../model/errors';
import { writeAudit } from '../audit';
import type { Database } from '../database';
import { channels } from '../notifications';
import { notifyMessages, retryAccounts } from './connected';

/** The delivery of messages to adapters, and their acknowledgements. The messages are sealed, and written by workers. */

/** A message as it is delivered. */
export interface DeliveredMessage {
  /** The tracking id. */
  readonly id: string;
  /** Number of this delivery, from 1. */
  readonly delivery: number;
  /** Until then the adapter may carry out the message. */
  readonly leasedUntil: Date;
  /** JWE compact. */
  readonly sealed: Buffer;
}

/**
 * Whether message `m` may be delivered now. An account gets one message at a time: that of the change which has claimed
 * it, and none of a change that was settled in the meantime: cancelled, expired, superseded.
 */
const isDue = sql`
  m.settled_at is null and m.sealed is not null and m.expires_at > now()
  and (m.leased_until is null or m.leased_until <= now()) and m.deliveries < m.most_deliveries
  and exists (
    select from outcome o join change c on c.id = o.change_id join account a on a.id = m.account_id
    where o.change_id = m.change_id and o.label = m.label and o.state in ('applying', 'waiting')
      and c.ended_at is null and a.identity_id = c.identity_id and a.claimed_seq = m.seq)
  and not exists (
    select from adapter_message other
    where other.account_id = m.account_id and other.id <> m.id and other.settled_at is null
      and other.leased_until > now())`;

/** For each source, whether a message may be delivered now. */
export async function readDue(
  db: Database,
  sources: readonly string[],
): Promise<ReadonlyMap<string, { readonly due: boolean }>> {
  const { rows } = await sql<{ source: string }>`
    select distinct m.source from adapter_message m join adapter s on s.source = m.source and s.key_id = m.key_id
    where m.source = any(${[...sources]}::text[]) and ${isDue}`.execute(db);
  const due = new Set(rows.map(({ source }) => source));
  return new Map(sources.map((source) => [source, { due: due.has(source) }]));
}

/** What a call of receive asks for. */
export interface Receive {
  readonly source: string;
  /** The session of the adapter: messages that are sealed to another key are left to a worker. */
  readonly keyId: string;
  readonly by: string;
  readonly most: number;
  readonly maxPending: number;
}

/**
 * Delivers messages: each is leased to the adapter until it has to be acknowledged.
 * @returns `full` when the adapter has not acknowledged `maxPending` messages, whose time has not passed
 */
export const deliverMessages = (
  db: Database,
  { source, keyId, by, most, maxPending }: Receive,
): Promise<DeliveredMessage[] | 'full'> =>
  db.transaction().execute(async (trx) => {
    // One call at a time counts what is pending.
    await sql`select from adapter where source = ${source} for update`.execute(trx);
    const { rows: counted } = await sql<{ pending: number }>`
      select count(*)::int as pending from adapter_message
      where source = ${source} and settled_at is null and leased_until > now()`.execute(trx);
    const free = maxPending - (counted[0]?.pending ?? 0);
    if (free <= 0) return 'full';
    const { rows } = await sql<DeliveredMessage>`
      with due as (
        select m.id from adapter_message m
        where m.source = ${source} and m.key_id = ${keyId} and ${isDue}
        order by m.created_at, m.id limit ${Math.min(most, free)} for update of m skip locked
      ), delivered as (
        update adapter_message m
        set deliveries = m.deliveries + 1,
            leased_until = date_trunc('milliseconds', now()) + make_interval(secs => m.lease_seconds)
        from due where m.id = due.id
        returning m.id, m.change_id, m.label, m.deliveries, m.leased_until, m.sealed, m.created_at
      ), audited as (
        insert into audit (actor, action, change_id, subject, detail)
        select ${by}, 'adapter.delivered', change_id, label,
               jsonb_build_object('source', ${source}::text, 'message', id, 'delivery', deliveries)
        from delivered
      )
      select id, deliveries as delivery, leased_until as "leasedUntil", sealed from delivered
      order by created_at, id`.execute(trx);
    return rows;
  });

/** An acknowledgement of an adapter. */
export interface Settled {
  readonly result: Acknowledgement;
  readonly reason: Reason | null;
  readonly vendorCode: string | null;
  readonly retryAfterMs: number | null;
}

/**
 * What became of an acknowledgement.
 * - `recorded`: it decides about the account.
 * - `repeated`: the same was acknowledged before.
 * - `too_late`: it has no effect, because the message has another result already, its change does not wait for it any
 *   more, or a newer change has replaced it.
 */
export type AcknowledgementEffect = 'recorded' | 'repeated' | 'too_late';

/**
 * Records an acknowledgement, by the tracking id of one delivered message. The account is tried at once, and takes it as
 * the answer of its source.
 * @returns null when no message with this id was delivered to the adapter
 */
export const acknowledge = (
  db: Database,
  source: string,
  id: string,
  settled: Settled,
  by: string,
): Promise<AcknowledgementEffect | null> =>
  db.transaction().execute(async (trx) => {
    const { rows } = await sql<{
      changeId: string;
      label: string;
      result: MessageResult | null;
      counts: boolean;
    }>`
      select m.change_id as "changeId", m.label, m.result,
             o.state in ('applying', 'waiting') and a.claimed_seq = m.seq as counts
      from adapter_message m join outcome o on o.change_id = m.change_id and o.label = m.label
        join account a on a.id = m.account_id
      where m.id = ${id} and m.source = ${source} and m.deliveries > 0 for update of m`.execute(
      trx,
    );
    const [message] = rows;
    if (message === undefined) return null;
    const { changeId, label, result } = message;
    if (result === settled.result) return 'repeated';
    const recorded = result === null;
    if (recorded) {
      await sql`
        update adapter_message
        set settled_at = now(), sealed = null, leased_until = null, result = ${settled.result},
            reason = ${settled.reason}, vendor_code = ${settled.vendorCode}, retry_after_ms = ${settled.retryAfterMs}
        where id = ${id}`.execute(trx);
      await retryAccounts(trx, [{ changeId, label }]);
      await sql`select pg_notify(${channels.settled}, ${id})`.execute(trx);
      // The next message of the account may have waited for this one.
      await notifyMessages(trx, source);
    }
    const effect = recorded && message.counts ? 'recorded' : 'too_late';
    const { result: reported, reason } = settled;
    await writeAudit(trx, {
      actor: by,
      action: 'adapter.acknowledged',
      changeId,
      subject: label,
      detail: { source, message: id, result: reported, reason, effect },
    });
    return effect;
  });
