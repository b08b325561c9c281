import { sql } from 'kysely';
import type { MessageResult } from '../../model/adapters/message';
import type { Reason } from '../../model/errors';
import type { AdapterKey } from '../../sealing/adapters';
import { isOnline, retryAccounts } from '../adapters/connected';
import type { Database } from '../database';
import { newId } from '../ids';
import { channels } from '../notifications';

/** The messages to adapters, as a worker writes them and reads what became of them. */

/** One account of a change in a source with an adapter. It has one message at most. */
export interface MessageOf {
  readonly source: string;
  readonly changeId: string;
  readonly label: string;
  readonly accountId: string;
  readonly seq: number;
}

/** The message of an account, its adapter, and when a message would become too old. */
export interface StoredMessage {
  /** Null when the adapter has never initialised. */
  readonly adapter: (AdapterKey & { readonly online: boolean }) | null;
  readonly message: {
    readonly id: string;
    readonly keyId: string;
    /** False for a message that a newer change had replaced, before it was rejected or cancelled. */
    readonly isSealed: boolean;
    readonly deliveries: number;
    /** Null while the message is not settled. */
    readonly result: MessageResult | null;
    readonly reason: Reason | null;
    readonly vendorCode: string | null;
    readonly retryAfterMs: number | null;
  } | null;
  readonly expiresAt: Date;
  readonly tooOld: boolean;
  /** Whether the adapter may still be working on a message of another change of the account. */
  readonly behind: boolean;
}

/** @param maxAgeSeconds null for the age limit of changes alone */
export async function readMessage(
  db: Database,
  { source, changeId, label, accountId }: MessageOf,
  maxAgeSeconds: number | null,
): Promise<StoredMessage | null> {
  const { rows } = await sql<StoredMessage>`
    select case when a.source is not null then
             json_build_object('id', a.key_id, 'publicKey', a.public_key, 'online', ${isOnline}) end as adapter,
           case when m.id is not null then
             json_build_object('id', m.id, 'keyId', m.key_id, 'isSealed', m.sealed is not null, 'deliveries', m.deliveries, 'result', m.result,
               'reason', m.reason, 'vendorCode', m.vendor_code, 'retryAfterMs', m.retry_after_ms) end as message,
           expiry.at as "expiresAt", expiry.at <= now() as "tooOld",
           exists (select from adapter_message other
                   where other.account_id = ${accountId} and other.change_id <> c.id
                     and other.settled_at is null and other.leased_until > now()) as behind
    from change c
      left join adapter a on a.source = ${source}
      left join adapter_message m on m.change_id = c.id and m.label = ${label}
      cross join lateral (select least(c.expires_at, coalesce(c.captured_at, c.created_at)
        + make_interval(secs => ${maxAgeSeconds}::float8)) as at) expiry
    where c.id = ${changeId}`.execute(db);
  return rows[0] ?? null;
}

export interface NewMessage extends MessageOf {
  readonly id: string;
  readonly keyId: string;
  readonly sealed: Buffer;
  readonly mostDeliveries: number;
  readonly leaseSeconds: number;
  readonly expiresAt: Date;
}

export const newMessageId = (): string => newId('msg');

/**
 * Stores a message, or seals the stored one to another key: its tracking id stays. It is not stored when a newer change
 * has claimed the account. Older messages of the account are not delivered any more.
 */
export async function putMessage(db: Database, message: NewMessage): Promise<void> {
  const { id, source, changeId, label, accountId, seq, keyId, sealed } = message;
  await sql`
    with put as (
      insert into adapter_message (id, source, change_id, label, account_id, seq, sealed, key_id, most_deliveries,
                                   lease_seconds, expires_at)
      select ${id}, ${source}, ${changeId}, ${label}, a.id, ${seq}::bigint, ${sealed}::bytea, ${keyId},
             ${message.mostDeliveries}::int, ${message.leaseSeconds}::int, ${message.expiresAt}::timestamptz
      from account a where a.id = ${accountId} and a.claimed_seq = ${seq}
      on conflict (change_id, label) do update set sealed = excluded.sealed, key_id = excluded.key_id
      where adapter_message.settled_at is null
      returning account_id
    ), older as (
      update adapter_message m set sealed = null from put
      where m.account_id = put.account_id and m.seq < ${seq} and m.sealed is not null
    )
    select pg_notify(${channels.message}, ${source}) from put`.execute(db);
}

/** Deletes a message that was never delivered. @returns false when it was delivered, so the password may be written */
export async function withdrawMessage(db: Database, id: string): Promise<boolean> {
  const { rows } = await sql`
    delete from adapter_message where id = ${id} and deliveries = 0 and settled_at is null returning id`.execute(
    db,
  );
  return rows.length === 1;
}

/** Deletes a message whose adapter has asked for another attempt, so that this one can make it. */
export async function endRetriedMessage(db: Database, id: string): Promise<void> {
  await sql`delete from adapter_message where id = ${id} and result = 'retry'`.execute(db);
}

/**
 * Settles messages that were delivered as often as allowed and are still not acknowledged, and those that became too old.
 * Wakes the accounts that wait for a message which has a result.
 */
export async function sweepMessages(db: Database): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`
      with ended as (
        update adapter_message
        set settled_at = now(), sealed = null, leased_until = null,
            result = case when deliveries = 0 then 'too_old' else 'not_acknowledged' end
        where settled_at is null and (leased_until is null or leased_until <= now())
          and (expires_at <= now() or (deliveries >= most_deliveries and leased_until is not null))
          and exists (select from change c where c.id = change_id and c.ended_at is null)
        returning id, source, change_id, label, result, deliveries
      ), audited as (
        insert into audit (actor, action, change_id, subject, detail)
        select 'worker', 'adapter.gave-up', change_id, label,
               jsonb_build_object('source', source, 'message', id, 'result', result, 'deliveries', deliveries)
        from ended
      )
      select pg_notify(${channels.settled}, id) from ended`.execute(trx);
    const { rows } = await sql<{ changeId: string; label: string }>`
      select m.change_id as "changeId", m.label
      from adapter_message m join outcome o on o.change_id = m.change_id and o.label = m.label
      where m.settled_at > now() - interval '10 minutes' and o.state = 'waiting'
        and o.reason = 'awaiting_acknowledgement' and o.next_try_at > now() + interval '1 second'`.execute(
      trx,
    );
    await retryAccounts(trx, rows);
  });
}

/** Deletes messages that were settled long ago. Until then a late acknowledgement gets its answer. */
export async function forgetMessages(db: Database): Promise<void> {
  await sql`
    delete from adapter_message m using change c
    where c.id = m.change_id and c.ended_at is not null
      and coalesce(m.settled_at, m.expires_at) < now() - interval '1 day'`.execute(db);
}
