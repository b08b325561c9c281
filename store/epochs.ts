import { createPublicKey, type KeyObject } from 'node:crypto';
import { sql } from 'kysely';
import { type SealingKey, sealingKey } from '../sealing/jwe';
import {
  isPublishedBy,
  type JsonWebKey,
  type KeyPurpose,
  type PublishedKey,
} from '../sealing/published-key';
import type { Database } from './database';

/**
 * The key to seal to now, checked against the key that signs epochs: whoever can write to the database still cannot have
 * passwords sealed to a key of his own.
 * @returns null when no worker has published one, or none is signed by `signer`
 */
export async function publishedKey(
  db: Database,
  signer: KeyObject,
  purpose: KeyPurpose,
): Promise<PublishedKey | null> {
  const rows = await db
    .selectFrom('epoch')
    .select(['id', 'public_key as publicKey', 'signature', 'seal_until as sealUntil'])
    .where('purpose', '=', purpose)
    .where('destroyed_at', 'is', null)
    .where('seal_until', '>', sql<Date>`now()`)
    .orderBy('created_at', 'desc')
    .execute();
  return rows.find((row) => isPublishedBy(signer, purpose, row)) ?? null;
}

export async function currentEpoch(
  db: Database,
  signer: KeyObject,
): Promise<{ readonly key: SealingKey; readonly sealUntil: Date } | null> {
  const published = await publishedKey(db, signer, 'change');
  if (published === null) return null;
  const key = await sealingKey(published.id, published.publicKey);
  return { key, sealUntil: published.sealUntil };
}

/** @param jwk the content of `signer.pub.json` */
export const signerKey = (jwk: JsonWebKey): KeyObject =>
  createPublicKey({ key: { ...jwk }, format: 'jwk' });
