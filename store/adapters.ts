import { sql } from 'kysely';
import {
  type Acknowledgement,
  type MessageResult,
  ONLINE_SECONDS,
} from '../model/adapters/message';
import type { Reason } from '../model/errors';
import type { AdapterKey } from '../sealing/adapters';
import { writeAudit } from './audit';
import type { Database } from './database';
import { channels } from './notifications';
import { reopenSource } from './sources/state';

/** What the api stores and reads about adapters. The messages themselves are sealed, and written by workers. */

/** Whether adapter `a` counts as connected. */
export const isOnline = sql<boolean>`(a.online and a.seen_at > now() - make_interval(secs => ${sql.lit(ONLINE_SECONDS)}))`;

export interface AdapterView {
  readonly source: string;
  readonly online: boolean;
  /** Whether messages are sealed to a key of the adapter itself. */
  readonly ownKey: boolean;
  readonly initialisedAt: Date;
  readonly seenAt: Date;
  /** Messages that were delivered and are not acknowledged. */
  readonly pending: number;
}

export async function readAdapter(db: Database, source: string): Promise<AdapterView | null> {
  const { rows } = await sql<AdapterView>`
    select a.source, ${isOnline} as online, a.own_key as "ownKey", a.initialised_at as "initialisedAt",
           a.seen_at as "seenAt",
           (select count(*)::int from adapter_message m
            where m.source = a.source and m.settled_at is null and m.deliveries > 0) as pending
    from adapter a where a.source = ${source}`.execute(db);
  return rows[0] ?? null;
}

/**
 * Connects an adapter, or connects it again: from now on messages are sealed to this key, and those that it has not
 * acknowledged are delivered at once. A message that is sealed to another key has its account tried again, so that a
 * worker seals it to this one.
 * @returns how many messages are not acknowledged
 */
export async function initialiseAdapter(
  db: Database,
  source: string,
  key: AdapterKey & { readonly own: boolean },
  by: string,
): Promise<number> {
  const unacknowledged = await db.transaction().execute(async (trx) => {
    await sql`
      insert into adapter (source, key_id, public_key, own_key)
      values (${source}, ${key.id}, ${JSON.stringify(key.publicKey)}, ${key.own})
      on conflict (source) do update
      set key_id = excluded.key_id, public_key = excluded.public_key, own_key = excluded.own_key,
          online = true, initialised_at = now(), seen_at = now()`.execute(trx);
    const { rows } = await sql<{ keyId: string; changeId: string; label: string }>`
      update adapter_message set leased_until = now()
      where source = ${source} and settled_at is null and deliveries > 0
      returning key_id as "keyId", change_id as "changeId", label`.execute(trx);
    await retryAccounts(
      trx,
      rows.filter(({ keyId }) => keyId !== key.id),
    );
    await writeAudit(trx, {
      actor: by,
      action: 'adapter.initialised',
      subject: source,
      detail: { source, ownKey: key.own, unacknowledged: rows.length },
    });
    await notifyMessages(trx, source);
    return rows.length;
  });
  await reopenSource(db, source, 'down', by);
  return unacknowledged;
}

/** Has accounts that wait tried again at once. */
export async function retryAccounts(
  trx: Database,
  accounts: readonly { readonly changeId: string; readonly label: string }[],
): Promise<void> {
  if (accounts.length === 0) return;
  await sql`
    with retried as (
      insert into command (change_id, kind, label, requested_by)
      select o.change_id, 'retry', o.label, 'worker'
      from unnest(${accounts.map(({ changeId }) => changeId)}::text[],
                  ${accounts.map(({ label }) => label)}::text[]) as wanted (change_id, label)
        join outcome o on o.change_id = wanted.change_id and o.label = wanted.label
      where o.state = 'waiting' returning change_id
    )
    select pg_notify(${channels.commanded}, change_id) from retried`.execute(trx);
}

const notifyMessages = (trx: Database, source: string) =>
  sql`select pg_notify(${channels.message}, ${source})`.execute(trx);

/** Records the status that an adapter reports. @returns null when it has never initialised */
export async function reportStatus(
  db: Database,
  source: string,
  status: 'online' | 'offline',
  by: string,
): Promise<'online' | 'offline' | null> {
  const online = status === 'online';
  const { rows } = await sql<{ was: boolean }>`
    with before as (select source, ${isOnline} as was from adapter a where source = ${source} for update),
    audited as (
      insert into audit (actor, action, subject, detail)
      select ${by}, ${`adapter.${status}`}, source, jsonb_build_object('source', source) from before where was <> ${online}
    )
    update adapter set online = ${online}, seen_at = now() from before
    where adapter.source = before.source returning was`.execute(db);
  if (rows.length === 0) return null;
  if (online) await reopenSource(db, source, 'down', by);
  return status;
}

/** The key of the session of an adapter; null when it has never initialised. The call shows that the adapter is online. */
export async function callOfAdapter(
  db: Database,
  source: string,
  by: string,
): Promise<{ readonly keyId: string; readonly ownKey: boolean } | null> {
  const { rows } = await sql<{ keyId: string; ownKey: boolean; was: boolean }>`
    with before as (select source, ${isOnline} as was from adapter a where source = ${source} for update)
    update adapter set online = true, seen_at = now() from before
    where adapter.source = before.source
    returning key_id as "keyId", own_key as "ownKey", was`.execute(db);
  const [row] = rows;
  if (row === undefined) return null;
  if (!row.was) await reopenSource(db, source, 'down', by);
  return row;
}

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
 * Whether message `m` may be delivered now. An account gets one message at a time, the newest, and none whose change has
 * been settled in the meantime: cancelled, expired, superseded.
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
      and (other.seq > m.seq or other.leased_until > now()))`;

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
 * - `too_late`: it has no effect, because the message has another result already, or a newer change has replaced it.
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
      replaced: boolean;
    }>`
      select m.change_id as "changeId", m.label, m.result,
             exists (select from adapter_message newer
                     where newer.account_id = m.account_id and newer.seq > m.seq) as replaced
      from adapter_message m
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
    const effect = recorded && !message.replaced ? 'recorded' : 'too_late';
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
