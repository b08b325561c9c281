import { sql } from 'kysely';
import type { Database } from '../../database';
import type { Anchor, AnchorFile } from './anchors';
import { newestLink } from './chain';

/** What happened when the chain was anchored. */
export interface Anchored {
  /** The new anchor; null if the last one is still the newest record. */
  readonly anchor: Anchor | null;
  /** The last anchor, if the chain does not hold its record any more; null if it does. */
  readonly lost: Anchor | null;
}

/**
 * Appends the newest record of the chain to the anchor file. First it compares the last anchor with the chain, so that a
 * cut or replaced end is noticed within the interval and not only by the next verification.
 */
export async function anchorAudit(db: Database, file: AnchorFile): Promise<Anchored> {
  const last = await file.last();
  const lost = last !== null && !(await isInChain(db, last)) ? last : null;
  const newest = await newestLink(db);
  if (newest === null || last?.hash.equals(newest.hash) === true) return { anchor: null, lost };
  const { position, hash } = newest;
  const anchor = { at: new Date(), position, hash };
  await file.append(anchor);
  return { anchor, lost };
}

async function isInChain(db: Database, { position, hash }: Anchor): Promise<boolean> {
  const { rows } = await sql`
    select from audit where position = ${position} and hash = ${hash}`.execute(db);
  return rows.length === 1;
}
