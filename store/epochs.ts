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
 * The public key that passwords are sealed to now. Its signature is checked against the key that signs epochs, so
 * that an attacker with write access to the database cannot have passwords sealed to a key of their own.
 * @returns null when no worker has published a current key, or `signer` has signed none of those published
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

/**
 * The current key for the passwords of changes, imported for sealing. `sealUntil` is the time after which nothing may
 * be sealed to it.
 * @returns null when there is no current key that `signer` has signed
 */
export async function currentEpoch(
  db: Database,
  signer: KeyObject,
): Promise<{ readonly key: SealingKey; readonly sealUntil: Date } | null> {
  const published = await publishedKey(db, signer, 'change');
  if (published === null) return null;
  const key = await sealingKey(published.id, published.publicKey);
  return { key, sealUntil: published.sealUntil };
}

/**
 * The public key that checks the signatures of epochs.
 * @param jwk the content of `signer.pub.json`
 */
export const signerKey = (jwk: JsonWebKey): KeyObject =>
  createPublicKey({ key: { ...jwk }, format: 'jwk' });
