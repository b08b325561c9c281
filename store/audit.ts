import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from './database';

/**
 * One audit record for each transition, written in the transaction of the transition itself. A moment later a worker
 * chains the record: its hash covers its content and the hash of the record before it, so that a record that was
 * changed, moved or removed is detected. Records are chained after the transactions, because a chain inside them
 * would let only one transaction commit at a time.
 */
export interface AuditRecord {
  /** Who acted: `api-key:<id>`, the id of a relay, `worker` or `lockstep`. */
  readonly actor: string;
  readonly action: AuditAction;
  readonly changeId?: string;
  /** What was acted on: the label of an outcome, or the id or name of an account, mapping, source, relay or key. */
  readonly subject?: string;
  /** Codes and names, and the reason that an agent gives. Never any part of a password, or text of a vendor. */
  readonly detail?: Readonly<Record<string, string | number | boolean | null>>;
}

export type AuditAction =
  | 'change.accepted'
  | 'change.planned'
  | `capture.${string}`
  | `change.${'done' | 'partial' | 'refused' | 'failed' | 'expired' | 'cancelled' | 'superseded'}`
  | `account.${string}`
  | 'account.linked'
  | 'mapping.advanced'
  | 'mapping.flagged'
  | 'mapping.linked'
  | `command.${'cancel' | 'retry' | 'park' | 'supersede'}`
  | `source.${'down' | 'up' | 'paused' | 'resumed' | 'retry' | 'park' | 'cancel'}`
  | 'configuration.applied'
  | 'identity.saved'
  | 'sign-in.differs'
  | `scim-user.${'created' | 'removed'}`
  | 'identity.removed'
  | 'api-key.created'
  | 'api-key.rotated'
  | 'api-key.revoked'
  | 'relay.created'
  | 'relay.gap'
  | 'relay.missed'
  | `captures.${'started' | 'stopped' | 'startpoint'}`
  | `notice.${'failed' | 'tested' | 'channel-closed'}`
  | 'epoch.created'
  | 'epoch.destroyed';

export async function writeAudit(db: Database, record: AuditRecord): Promise<void> {
  await db
    .insertInto('audit')
    .values({
      actor: record.actor,
      action: record.action,
      change_id: record.changeId ?? null,
      subject: record.subject ?? null,
      detail: JSON.stringify(record.detail ?? {}),
    })
    .execute();
}

export interface AuditView {
  /** Position in the chain, from 1; null until a worker has chained the record, a moment after it was written. */
  readonly position: number | null;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly subject: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

export async function readAuditOf(db: Database, changeId: string): Promise<AuditView[]> {
  return db
    .selectFrom('audit')
    .select(['position', 'at', 'actor', 'action', 'subject', 'detail'])
    .where('change_id', '=', changeId)
    .orderBy('id')
    .execute();
}

const CHAIN_LOCK = 0x6c6f636b;
const BATCH = 1000;

/**
 * Chains the records that were written since the last run, at most 1000 in one call. Only one process chains at a
 * time; a second one returns 0.
 * @returns how many records were chained
 */
export async function chainAudit(db: Database): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const lock = await sql<{ got: boolean }>`
      select pg_try_advisory_xact_lock(${CHAIN_LOCK}) as got`.execute(trx);
    if (lock.rows[0]?.got !== true) return 0;
    const records = await selectRecords(
      trx,
      sql`where position is null order by id limit ${BATCH}`,
    );
    if (records.length === 0) return 0;
    const last = await sql<{ position: number; hash: Buffer }>`
      select position, hash from audit where position is not null order by position desc limit 1`.execute(
      trx,
    );
    let { position, hash } = last.rows[0] ?? genesis;
    const chained = records.map((record) => {
      position += 1;
      hash = hashOf(hash, position, record);
      return { id: record.id, position, hash };
    });
    await sql`
      update audit set position = chained.position, hash = chained.hash
      from unnest(${chained.map(({ id }) => id)}::bigint[],
                  ${chained.map((link) => link.position)}::bigint[],
                  ${chained.map((link) => link.hash)}::bytea[]) as chained (id, position, hash)
      where audit.id = chained.id`.execute(trx);
    return chained.length;
  });
}

export type ChainVerdict =
  | { readonly intact: true; readonly records: number }
  | { readonly intact: false; readonly position: number };

/**
 * Recomputes the chain from its start. When the chain is broken, `position` is that of the first record that does not
 * fit.
 */
export async function verifyAudit(db: Database): Promise<ChainVerdict> {
  let { position, hash } = genesis;
  for (;;) {
    const records = await selectRecords(
      db,
      sql`where position > ${position} order by position limit ${BATCH}`,
    );
    if (records.length === 0) return { intact: true, records: position };
    for (const record of records) {
      const expected = hashOf(hash, position + 1, record);
      if (record.position !== position + 1 || record.hash?.equals(expected) !== true)
        return { intact: false, position: position + 1 };
      position += 1;
      hash = expected;
    }
  }
}

const genesis: { position: number; hash: Buffer } = { position: 0, hash: Buffer.alloc(32) };

interface StoredRecord {
  readonly id: number;
  readonly position: number | null;
  readonly hash: Buffer | null;
  /** The content as JSON text made by the database, which is the same at each reading. */
  readonly content: string;
}

async function selectRecords(
  db: Database,
  condition: ReturnType<typeof sql>,
): Promise<StoredRecord[]> {
  const { rows } = await sql<StoredRecord>`
    select id, position, hash,
           jsonb_build_array(extract(epoch from at), actor, action, change_id, subject, detail)::text as content
    from audit ${condition}`.execute(db);
  return rows;
}

const hashOf = (previous: Buffer, position: number, record: StoredRecord): Buffer =>
  createHash('sha256').update(previous).update(`${position}\n${record.content}`).digest();
