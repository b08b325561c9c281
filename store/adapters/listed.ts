import { sql } from 'kysely';
import type { MessageResult } from '../../model/adapters/message';
import type { Database } from '../database';
import { isOnline } from './connected';

/** What the pages show about adapters and their messages. No answer contains a message itself. */

/** Whether and how an adapter that pulls its changes is connected. */
export interface AdapterConnection {
  readonly source: string;
  readonly online: boolean;
  /** Since when it is online or offline. */
  readonly since: Date;
  readonly initialisedAt: Date;
  /** When it last asked for messages; null if it never did. */
  readonly receivedAt: Date | null;
  /** Whether messages are sealed to a key of the adapter itself. */
  readonly ownKey: boolean;
  /** Messages that were delivered and are not acknowledged. */
  readonly pending: number;
  /** Messages that were not delivered yet. */
  readonly stored: number;
}

/** Reads the adapters that have ever connected, by their source. An adapter that was not heard is offline since then. */
export async function readConnections(
  db: Database,
): Promise<ReadonlyMap<string, AdapterConnection>> {
  const { rows } = await sql<AdapterConnection>`
    select a.source, ${isOnline} as online,
           case when ${isOnline} then coalesce(a.online_since, a.initialised_at) else a.seen_at end as since,
           a.initialised_at as "initialisedAt", a.received_at as "receivedAt", a.own_key as "ownKey",
           coalesce(open.pending, 0) as pending, coalesce(open.stored, 0) as stored
    from adapter a left join (
      select source, count(*) filter (where deliveries > 0)::int as pending,
             count(*) filter (where deliveries = 0)::int as stored
      from adapter_message where settled_at is null group by source) open using (source)`.execute(
    db,
  );
  return new Map(rows.map((row) => [row.source, row]));
}

/** How many captures of each source were discarded in the last day, because Lockstep knew the password already. */
export async function countDiscarded(db: Database): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ source: string; count: number }>`
    select detail ->> 'source' as source, count(*)::int as count from audit
    where action in ('capture.duplicate', 'capture.echo') and at > now() - interval '1 day'
    group by 1`.execute(db);
  return new Map(rows.map(({ source, count }) => [source, count]));
}

/** How many mappings each application has, and how many of them are enabled. */
export async function countMappings(
  db: Database,
): Promise<ReadonlyMap<string, { readonly all: number; readonly enabled: number }>> {
  const { rows } = await sql<{ application: string; all: number; enabled: number }>`
    select application, count(*)::int as all, count(*) filter (where enabled)::int as enabled
    from mapping group by application`.execute(db);
  return new Map(rows.map(({ application, ...counts }) => [application, counts]));
}

/** A message to an adapter, as a list shows it. */
export interface ListedMessage {
  /** The tracking id. */
  readonly id: string;
  readonly change: string;
  readonly account: string;
  readonly createdAt: Date;
  readonly deliveries: number;
  /** Until then the adapter may acknowledge this delivery. */
  readonly leasedUntil: Date | null;
  readonly settledAt: Date | null;
  /** Null while the message is not settled. */
  readonly result: MessageResult | null;
  readonly reason: string | null;
  readonly code: string | null;
}

/** The messages that a caller may see: those of an adapter, of changes in some groups; null: in every group. */
export interface SeenMessages {
  readonly source: string;
  readonly groups: readonly string[] | null;
}

/** Condition for message `m`. A source may have been in another group when a change began. */
const isSeen = ({
  source,
  groups,
}: SeenMessages) => sql<boolean>`m.source = ${source} and (${groups === null}::boolean
  or exists (select from change c where c.id = m.change_id and c.groups && ${[...(groups ?? [])]}::text[]))`;

/** Lists the messages of an adapter: those that are not settled first, then the newest. Settled ones are kept a day. */
export async function listMessages(
  db: Database,
  seen: SeenMessages,
  limit: number,
): Promise<ListedMessage[]> {
  const { rows } = await sql<ListedMessage>`
    select m.id, m.change_id as change, m.label as account, m.created_at as "createdAt", m.deliveries,
           m.leased_until as "leasedUntil", m.settled_at as "settledAt", m.result, m.reason, m.vendor_code as code
    from adapter_message m where ${isSeen(seen)}
    order by m.settled_at desc nulls first, m.created_at desc, m.id limit ${limit}`.execute(db);
  return rows;
}

/** How many settled messages of an adapter there are, by result. */
export async function countResults(
  db: Database,
  seen: SeenMessages,
): Promise<Partial<Record<MessageResult, number>>> {
  const { rows } = await sql<{ result: MessageResult; count: number }>`
    select m.result, count(*)::int as count from adapter_message m
    where ${isSeen(seen)} and m.result is not null group by m.result`.execute(db);
  return Object.fromEntries(rows.map(({ result, count }) => [result, count]));
}
