import { sql } from 'kysely';
import { evaluateBatch, type Position } from '../../model/captures/batch';
import type { JsonWebKey } from '../../sealing/published-key';
import { createApiKeyIn } from '../api-keys';
import { writeAudit } from '../audit';
import type { Database } from '../database';
import { newId } from '../ids';
import { channels } from '../notifications';

/** Relays: who they are, how far each has come, and what they brought. */
export interface Relay {
  readonly id: string;
  readonly source: string;
  readonly publicKey: JsonWebKey;
}

/** @returns the API key, which nobody can read again */
export async function createRelay(
  db: Database,
  { source, publicKey }: Omit<Relay, 'id'>,
  by: string,
): Promise<{ readonly id: string; readonly key: string }> {
  const id = newId('rly');
  return db.transaction().execute(async (trx) => {
    const wanted = { name: id, scopes: ['relay' as const], groups: null, expiresAt: null };
    const made = await createApiKeyIn(trx, wanted, by);
    await trx
      .insertInto('relay')
      .values({ id, source, api_key_id: made.id, public_key: JSON.stringify(publicKey) })
      .execute();
    await writeAudit(trx, { actor: by, action: 'relay.created', subject: id, detail: { source } });
    return { id, key: made.key };
  });
}

export async function relayOf(db: Database, apiKeyId: string): Promise<Relay | null> {
  const row = await db
    .selectFrom('relay')
    .select(['id', 'source', 'public_key as publicKey'])
    .where('api_key_id', '=', apiKeyId)
    .executeTakeFirst();
  return row ?? null;
}

/** How a relay that reads its source gets on. */
export interface RelayReading {
  /** Why it cannot, a code of `capture/polling/poller.ts`. */
  readonly trouble: string | null;
  /** The number of the startpoint that it went to last; 0: none was set. */
  readonly startpointApplied: number;
  /** How often something was gone before it was read, since it was set up. */
  readonly missed: number;
}

export interface Batch {
  /** Grows with each request, so that one that was sent before is known. */
  readonly request: number;
  /** By the clock of the relay. */
  readonly sentAt: Date;
  readonly version: string;
  readonly backlog: number;
  readonly oldestAt: Date | null;
  readonly quarantined: number;
  readonly host?: string | undefined;
  readonly covers?: 'host' | 'source' | undefined;
  readonly reading?: RelayReading | undefined;
  readonly segment: string | null;
  readonly follows: Position | null;
  readonly from: number;
  readonly records: readonly BatchRecord[];
}

/** Null: damaged beside the source, or nothing that anybody sealed. */
export type BatchRecord = {
  readonly keyId: string;
  readonly jwe: Buffer;
  readonly capturedAt: Date;
  readonly sequence: string | null;
} | null;

export interface BatchIngested {
  /** `repeated`: an answer to this request, or to a later one, was given before. */
  readonly result: 'taken' | 'gap' | 'repeated';
  readonly cursor: Position | null;
  readonly request: number;
}

/**
 * Takes a batch in: its records and how far the relay has come in one transaction, so that a record that is told twice is
 * taken in once.
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
      return { result: 'repeated', cursor, request: row.lastRequest };
    await noteHeard(trx, relay.id, batch);
    await noteMissed(trx, relay, row.missed, batch);
    const { segment, records } = batch;
    if (segment === null || records.length === 0)
      return { result: 'taken', cursor, request: batch.request };
    const judged = evaluateBatch({ ...batch, cursor, segment, count: records.length });
    if (judged === 'gap') return { result: 'gap', cursor, request: batch.request };
    if (judged.missing !== 0) await noteGap(trx, relay, cursor, batch, judged.missing);
    await noteDone(trx, relay.id, records.length);
    const fresh = records.slice(judged.skip);
    if (fresh.length === 0) return { result: 'taken', cursor, request: batch.request };
    const last = { segment, position: batch.from + records.length - 1 };
    await keep(trx, relay, fresh, ageLimitMs);
    await advance(trx, relay, last, fresh);
    return { result: 'taken', cursor: last, request: batch.request };
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

/** What the relay said was before these were taken in. */
const noteDone = (trx: Database, id: string, records: number) =>
  trx
    .updateTable('relay')
    .set({
      backlog: sql<number>`greatest(0, backlog - ${records})`,
      oldest_at: sql<Date | null>`case when backlog > ${records} then oldest_at end`,
    })
    .where('id', '=', id)
    .execute();

async function noteGap(
  trx: Database,
  relay: Relay,
  cursor: Position | null,
  { segment, follows }: Batch,
  missing: number | null,
): Promise<void> {
  const spelled = (at: Position | null) => (at === null ? null : `${at.segment}:${at.position}`);
  await trx
    .updateTable('relay')
    .set({ lost: sql<number>`lost + ${missing ?? 0}` })
    .where('id', '=', relay.id)
    .execute();
  await writeAudit(trx, {
    actor: relay.id,
    action: 'relay.gap',
    subject: relay.id,
    detail: { missing, after: spelled(cursor), follows: spelled(follows), segment },
  });
}

/** Those sealed to a key that is not, or no longer, ours are told of and left out: nobody could open them. */
async function keep(
  trx: Database,
  relay: Relay,
  records: readonly BatchRecord[],
  ageLimitMs: number,
): Promise<void> {
  const whole = records.filter((record) => record !== null);
  const { rows } = await sql<{ kept: number }>`
    with kept as (
      insert into sealed_capture (relay_id, epoch_id, jwe, expires_at)
      select ${relay.id}, epoch.id, record.jwe,
             least(record.captured_at, now()) + make_interval(secs => ${ageLimitMs / 1000})
      from unnest(${whole.map(({ keyId }) => keyId)}::text[], ${whole.map(({ jwe }) => jwe)}::bytea[],
                  ${whole.map(({ capturedAt }) => capturedAt)}::timestamptz[])
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
}

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

export interface RelayView {
  readonly id: string;
  readonly source: string;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
  readonly heardAt: Date | null;
  readonly silentMs: number | null;
  readonly version: string | null;
  readonly backlog: number;
  readonly oldestAt: Date | null;
  readonly quarantined: number;
  readonly clockAheadMs: number | null;
  readonly sequence: string | null;
  readonly host: string | null;
  readonly covers: 'host' | 'source';
  /** Null of one that reads nothing. */
  readonly startpointApplied: number | null;
  readonly trouble: string | null;
  readonly missed: number;
  readonly received: number;
  readonly lost: number;
  /** Brought, and not yet taken in by a worker. */
  readonly open: number;
}

/** By source. Those whose key was revoked are left out once nothing of theirs is open. */
export async function listRelays(db: Database): Promise<RelayView[]> {
  const { rows } = await sql<RelayView>`
    select r.id, r.source, r.created_at as "createdAt", k.revoked_at as "revokedAt", r.heard_at as "heardAt",
           extract(epoch from now() - r.heard_at)::float8 * 1000 as "silentMs",
           r.version, r.backlog, r.oldest_at as "oldestAt", r.quarantined,
           r.clock_ahead_ms as "clockAheadMs", r.source_sequence as sequence, r.host, r.covers,
           r.startpoint_applied as "startpointApplied", r.trouble, r.missed, r.received, r.lost, o.open
    from relay r join api_key k on k.id = r.api_key_id
    cross join lateral (select count(*)::int as open from sealed_capture where relay_id = r.id) o
    where k.revoked_at is null or o.open > 0
    order by r.source, r.id`.execute(db);
  return rows;
}
