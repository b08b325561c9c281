import { createHash, createHmac, type KeyObject } from 'node:crypto';
import { sql } from 'kysely';
import { writeAudit } from '../../audit';
import type { Database } from '../../database';
import { channels } from '../../notifications';
import type { AnchorFile } from './anchors';
import type { AuditKey, AuditKeys } from './audit-keys';

/** What a worker needs to chain, anchor and verify the audit. All of it is outside the database. */
export interface AuditChain {
  readonly keys: AuditKeys;
  readonly anchors: AnchorFile;
}

const CHAIN_LOCK = 0x6c6f636b;
const BATCH = 1000;

/**
 * Chains the records that were written since the last run, at most 1000 in one call: each gets a position, and a hash of
 * its content and of the hash before it, made with a key that the database does not hold. Only one process chains at a
 * time; a second one returns 0.
 * @returns how many records were chained
 */
export async function chainAudit(db: Database, keys: AuditKeys): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const lock = await sql<{ got: boolean }>`
      select pg_try_advisory_xact_lock(${CHAIN_LOCK}) as got`.execute(trx);
    if (lock.rows[0]?.got !== true) return 0;
    const records = await selectRecords(
      trx,
      sql`where position is null order by id limit ${BATCH}`,
    );
    if (records.length === 0) return 0;
    const last = (await newestLink(trx)) ?? { ...genesis, keyId: null };
    const key = await keyAfter(keys, last);
    if (last.keyId !== key.id)
      await writeAudit(trx, {
        actor: 'worker',
        action: 'audit.keyed',
        subject: key.id,
        detail: { from: key.from },
      });
    let { position, hash } = last;
    const chained = records.map((record) => {
      position += 1;
      hash = linkHash(key.key, hash, position, record.content);
      return { id: record.id, position, hash };
    });
    await sql`
      update audit set position = chained.position, hash = chained.hash, key_id = ${key.id}
      from unnest(${chained.map(({ id }) => id)}::bigint[],
                  ${chained.map((link) => link.position)}::bigint[],
                  ${chained.map((link) => link.hash)}::bytea[]) as chained (id, position, hash)
      where audit.id = chained.id`.execute(trx);
    await sql`select pg_notify(${channels.audit}, ${String(position)})`.execute(trx);
    return chained.length;
  });
}

/**
 * The key for the record after this link. A new key begins when there is none yet, when an operator has asked for it, and
 * when the chain ends before the newest key began: then the database is older than the key.
 */
async function keyAfter(keys: AuditKeys, { position, hash }: Link): Promise<AuditKey> {
  const newest = (await keys.list()).at(-1);
  const goesOn = newest !== undefined && newest.from <= position + 1;
  return goesOn && !(await keys.takeRotation()) ? newest : keys.create(position + 1, hash);
}

export interface Link {
  readonly position: number;
  readonly hash: Buffer;
}

/** What comes before the first record. */
export const genesis: Link = { position: 0, hash: Buffer.alloc(32) };

/** The newest record of the chain; null before the first. */
export async function newestLink(
  db: Database,
): Promise<(Link & { readonly keyId: string | null }) | null> {
  const { rows } = await sql<Link & { readonly keyId: string | null }>`
    select position, hash, key_id as "keyId" from audit
    where position is not null order by position desc limit 1`.execute(db);
  return rows[0] ?? null;
}

export interface ChainedRecord {
  readonly id: number;
  readonly at: Date;
  readonly position: number | null;
  readonly hash: Buffer | null;
  readonly keyId: string | null;
  /** The content as JSON text made by the database, which is the same at each reading. */
  readonly content: string;
}

/** Reads records after a position in the order of the chain, at most 1000. */
export const recordsAfter = (db: Database, position: number): Promise<ChainedRecord[]> =>
  selectRecords(db, sql`where position > ${position} order by position limit ${BATCH}`);

async function selectRecords(
  db: Database,
  condition: ReturnType<typeof sql>,
): Promise<ChainedRecord[]> {
  const { rows } = await sql<ChainedRecord>`
    select id, at, position, hash, key_id as "keyId",
           jsonb_build_array(extract(epoch from at), actor, action, change_id, subject, detail)::text as content
    from audit ${condition}`.execute(db);
  return rows;
}

/** @param key null for a record that was chained before the chain was keyed */
export function linkHash(
  key: KeyObject | null,
  previous: Buffer,
  position: number,
  content: string,
): Buffer {
  const hash = key === null ? createHash('sha256') : createHmac('sha256', key);
  return hash.update(previous).update(`${position}\n${content}`).digest();
}
