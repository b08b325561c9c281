import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { KeyStoreProblem } from '../../model/key-store-problem';
import type { Database } from '../database';
import { sealCredential, unsealCredential } from './credentials';
import { type KeyStore, KeyStoreUnavailable, type MasterKey } from './keys/key-store';

/** Small enough that a crash repeats little, and that no running change waits for a batch. */
const BATCH = 200;
/** Pause before the next pass, when changes hold all rows that are left. */
const HELD_MS = 100;

export interface Rotated {
  /** How many credentials were sealed again. */
  readonly resealed: number;
  /** How many could not be opened, because their key is missing or they were altered. They stay as they are. */
  readonly unreadable: number;
}

interface Stored {
  readonly id: string;
  readonly seq: string;
  readonly sealed: Buffer;
  readonly keyId: string;
}

/**
 * Seals each credential that an older master key has sealed again under the current one, in batches, while changes run. A
 * credential that a change replaces in the meantime is skipped and looked at again. A rotation that was cut off is
 * continued by calling this again, because each row names its key.
 */
export async function rotateCredentials(
  db: Database,
  keys: Pick<KeyStore, 'currentMasterKey' | 'masterKey'>,
  onBatch: (resealed: number) => void = () => {},
): Promise<Rotated> {
  const current = await keys.currentMasterKey();
  let resealed = 0;
  for (;;) {
    const pass = await rotateOnce(db, keys, current, (more) => onBatch(resealed + more));
    resealed += pass.resealed;
    if (pass.found === pass.unreadable) return { resealed, unreadable: pass.unreadable };
    if (pass.resealed === 0) await sleep(HELD_MS);
  }
}

/** Goes through all credentials once. */
async function rotateOnce(
  db: Database,
  keys: Pick<KeyStore, 'masterKey'>,
  current: MasterKey,
  onBatch: (resealed: number) => void,
): Promise<Rotated & { readonly found: number }> {
  const sum = { found: 0, resealed: 0, unreadable: 0 };
  let after = '';
  for (;;) {
    const batch = await readBatch(db, current.id, after);
    const last = batch.at(-1);
    if (last === undefined) return sum;
    const opened = await Promise.all(batch.map((row) => resealedRow(keys, current, row)));
    const rows = opened.filter((row) => row !== null);
    sum.found += batch.length;
    sum.unreadable += batch.length - rows.length;
    sum.resealed += await replace(db, current.id, rows);
    onBatch(sum.resealed);
    after = last.id;
  }
}

async function readBatch(db: Database, currentId: string, after: string): Promise<Stored[]> {
  const { rows } = await sql<Stored>`
    select id, applied_seq::text as seq, sealed, master_key_id as "keyId" from mapping
    where sealed is not null and master_key_id <> ${currentId} and id > ${after}
    order by id limit ${BATCH}`.execute(db);
  return rows;
}

async function resealedRow(
  keys: Pick<KeyStore, 'masterKey'>,
  current: MasterKey,
  row: Stored,
): Promise<(Stored & { readonly next: Buffer }) | null> {
  try {
    const seq = Number(row.seq);
    const credential = unsealCredential(await keys.masterKey(row.keyId), row.id, seq, row.sealed);
    const next = sealCredential(current, row.id, seq, credential);
    credential.destroy();
    return { ...row, next };
  } catch (error) {
    // A key server that is away says nothing about the credential.
    if (error instanceof KeyStoreUnavailable && !LOST.includes(error.problem)) throw error;
    return null;
  }
}

/** The key itself is lost, so what it sealed cannot be opened. */
const LOST: readonly KeyStoreProblem[] = ['missing', 'damaged', 'wrong_key'];

/**
 * Replaces what is still as it was read. It waits for no change, so it cannot end one in a deadlock: a row that a change
 * holds is left to the next pass.
 * @returns how many rows were replaced
 */
async function replace(
  db: Database,
  currentId: string,
  rows: readonly (Stored & { readonly next: Buffer })[],
): Promise<number> {
  if (rows.length === 0) return 0;
  const { numAffectedRows } = await sql`
    with free as (
      select m.id, n.next
      from unnest(${rows.map(({ id }) => id)}::text[], ${rows.map(({ sealed }) => sealed)}::bytea[],
                  ${rows.map(({ next }) => next)}::bytea[]) as n (id, sealed, next)
      join mapping m on m.id = n.id and m.sealed = n.sealed
      for update of m skip locked
    )
    update mapping m set sealed = free.next, master_key_id = ${currentId}
    from free where m.id = free.id`.execute(db);
  return Number(numAffectedRows ?? 0);
}
