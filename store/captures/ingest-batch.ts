import { sql } from 'kysely';
import { evaluateBatch, type Position } from '../../model/captures/batch';
import { writeAudit } from '../audit';
import type { Database } from '../database';
import { channels } from '../notifications';
import type { Relay } from './relays';

/** State of a relay that reads its source. */
export interface RelayReading {
  /** Why it cannot read its source, as a code of `capture/polling/poller.ts`; null when it can. */
  readonly trouble: string | null;
  /** Number of the startpoint that it applied last; 0 when none was set. */
  readonly startpointApplied: number;
  /** How often, since it was set up, the source had trimmed changes before the relay read them. */
  readonly missed: number;
}

/** One request of a relay: the state of the relay, and the next records of its spool. */
export interface Batch {
  /** Number of the request. It grows with each one, so that an older request that arrives late is recognised. */
  readonly request: number;
  /** Time of the request, by the clock of the relay. */
  readonly sentAt: Date;
  readonly version: string;
  /** Captures that wait on the machine of the relay, these records included, and when the oldest was captured. */
  readonly backlog: number;
  readonly oldestAt: Date | null;
  /** Damaged spool segments that the relay has set apart. */
  readonly quarantined: number;
  readonly host?: string | undefined;
  readonly covers?: 'host' | 'source' | undefined;
  readonly reading?: RelayReading | undefined;
  /** Spool segment of the records; null when there are none. */
  readonly segment: string | null;
  /** Last record before this segment; null when there was none. */
  readonly follows: Position | null;
  /** Position of the first record in the segment. */
  readonly from: number;
  readonly records: readonly BatchRecord[];
}

/** A sealed capture; null for a record that was damaged on the machine of the relay or is not a sealed capture. */
export type BatchRecord = {
  readonly keyId: string;
  readonly jwe: Buffer;
  readonly capturedAt: Date;
  readonly sequence: string | null;
} | null;

export interface BatchIngested {
  /**
   * `taken`: the batch was ingested. `gap`: it does not continue at `cursor`, and nothing of it was ingested.
   * `repeated`: this request, or a later one, was answered before.
   */
  readonly result: 'taken' | 'gap' | 'repeated';
  /** The last record that was ingested; null before the first. */
  readonly cursor: Position | null;
  /** Number of the last request of the relay that was processed. */
  readonly request: number;
  /** Number of records that were counted as lost, because they cannot be opened. */
  readonly unreadable: number;
}

/**
 * Ingests a batch: its records and the new cursor of the relay are stored in one transaction, so that a record that
 * is sent twice is stored once. It notifies `channels.captured`. `worker/captures/ingest-relayed.ts` listens on that
 * channel, opens the stored captures and accepts their changes; if the notification is lost, it finds the rows at its
 * next check.
 * @param ageLimitMs age at which a stored capture expires, counted from when it was captured
 */
export async function ingestBatch(
  db: Database,
  relay: Relay,
  batch: Batch,
  ageLimitMs: number,
): Promise<BatchIngested> {
  return db.transaction().execute(async (trx) => {
    const row = await trx
      .selectFrom('relay')
      .select(['segment', 'position', 'last_request as lastRequest', 'missed'])
      .where('id', '=', relay.id)
      .forUpdate()
      .executeTakeFirstOrThrow();
    const cursor = row.segment === null ? null : { segment: row.segment, position: row.position };
    if (batch.request <= row.lastRequest)
      return { result: 'repeated', cursor, request: row.lastRequest, unreadable: 0 };
    await noteHeard(trx, relay.id, batch);
    await noteMissed(trx, relay, row.missed, batch);
    const { segment, records } = batch;
    if (segment === null || records.length === 0)
      return { result: 'taken', cursor, request: batch.request, unreadable: 0 };
    const decision = evaluateBatch({ ...batch, cursor, segment, count: records.length });
    if (decision === 'gap') return { result: 'gap', cursor, request: batch.request, unreadable: 0 };
    if (decision.missing !== 0) await noteGap(trx, relay, cursor, batch, decision.missing);
    await lowerBacklog(trx, relay.id, records.length);
    const fresh = records.slice(decision.skip);
    if (fresh.length === 0)
      return { result: 'taken', cursor, request: batch.request, unreadable: 0 };
    const last = { segment, position: batch.from + records.length - 1 };
    const unreadable = await storeRecords(trx, relay, fresh, ageLimitMs);
    await advance(trx, relay, last, fresh);
    return { result: 'taken', cursor: last, request: batch.request, unreadable };
  });
}

const noteHeard = (trx: Database, id: string, batch: Batch) =>
  trx
    .updateTable('relay')
    .set({
      last_request: batch.request,
      heard_at: sql<Date>`now()`,
      version: batch.version,
      backlog: batch.backlog,
      oldest_at: batch.oldestAt,
      quarantined: batch.quarantined,
      host: batch.host ?? null,
      covers: batch.covers ?? 'host',
      trouble: batch.reading?.trouble ?? null,
      startpoint_applied: batch.reading?.startpointApplied ?? null,
      missed: batch.reading?.missed ?? 0,
      clock_ahead_ms: sql<number>`round(extract(epoch from ${batch.sentAt}::timestamptz - clock_timestamp()) * 1000)`,
    })
    .where('id', '=', id)
    .execute();

async function noteMissed(
  trx: Database,
  { id, source }: Relay,
  before: number,
  { reading }: Batch,
): Promise<void> {
  const missed = (reading?.missed ?? 0) - before;
  if (missed > 0)
    await writeAudit(trx, {
      actor: id,
      action: 'relay.missed',
      subject: id,
      detail: { source, count: missed },
    });
}

/** Subtracts the records of a batch from the backlog, which the relay reported before they were ingested. */
const lowerBacklog = (trx: Database, id: string, records: number) =>
  trx
    .updateTable('relay')
    .set({
      backlog: sql<number>`greatest(0, backlog - ${records})`,
      oldest_at: sql<Date | null>`case when backlog > ${records} then oldest_at end`,
    })
    .where('id', '=', id)
    .execute();

/**
 * Records that captures between the cursor and a new segment are missing and will not arrive.
 * @param missing how many; null when their number is unknown
 */
async function noteGap(
  trx: Database,
  relay: Relay,
  cursor: Position | null,
  { segment, follows }: Batch,
  missing: number | null,
): Promise<void> {
  const textOf = (at: Position | null) => (at === null ? null : `${at.segment}:${at.position}`);
  await trx
    .updateTable('relay')
    .set({ lost: sql<number>`lost + ${missing ?? 0}` })
    .where('id', '=', relay.id)
    .execute();
  await writeAudit(trx, {
    actor: relay.id,
    action: 'relay.gap',
    subject: relay.id,
    detail: { missing, after: textOf(cursor), follows: textOf(follows), segment },
  });
}

/**
 * Stores sealed captures. Records that were damaged, or were sealed to an unknown or destroyed key, cannot be opened:
 * they are counted as lost, with one audit record, and not stored.
 * @returns the number of these records
 */
async function storeRecords(
  trx: Database,
  relay: Relay,
  records: readonly BatchRecord[],
  ageLimitMs: number,
): Promise<number> {
  const sealed = records.filter((record) => record !== null);
  const { rows } = await sql<{ kept: number }>`
    with kept as (
      insert into sealed_capture (relay_id, epoch_id, jwe, expires_at)
      select ${relay.id}, epoch.id, record.jwe,
             least(record.captured_at, now()) + make_interval(secs => ${ageLimitMs / 1000})
      from unnest(${sealed.map(({ keyId }) => keyId)}::text[], ${sealed.map(({ jwe }) => jwe)}::bytea[],
                  ${sealed.map(({ capturedAt }) => capturedAt)}::timestamptz[])
           with ordinality as record (key_id, jwe, captured_at, position)
      join epoch on epoch.id = record.key_id and epoch.purpose = 'capture' and epoch.destroyed_at is null
      order by record.position
      returning id
    )
    select count(*)::int as kept from kept`.execute(trx);
  const unreadable = records.length - (rows[0]?.kept ?? 0);
  if (unreadable > 0)
    await writeAudit(trx, {
      actor: relay.id,
      action: 'capture.capture_unreadable',
      subject: relay.id,
      detail: { source: relay.source, count: unreadable },
    });
  await sql`
    update relay set received = received + ${records.length - unreadable}, lost = lost + ${unreadable}
    where id = ${relay.id}`.execute(trx);
  return unreadable;
}

/** Moves the cursor of the relay to the last ingested record. */
async function advance(
  trx: Database,
  relay: Relay,
  last: Position,
  records: readonly BatchRecord[],
): Promise<void> {
  const sequence = records.findLast((record) => record?.sequence != null)?.sequence;
  await trx
    .updateTable('relay')
    .set({ ...last, ...(sequence == null ? {} : { source_sequence: sequence }) })
    .where('id', '=', relay.id)
    .execute();
  await sql`select pg_notify(${channels.captured}, ${relay.id})`.execute(trx);
}
