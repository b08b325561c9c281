import type { KeyObject } from 'node:crypto';
import { isEventKeyOf, type PublishedEventKey } from '../../sealing/event-key';
import type { Database } from '../database';

/** The public keys that verify security events, of those that `signer` has signed, the newest first. */
export async function readEventKeys(
  db: Database,
  signer: KeyObject,
): Promise<readonly PublishedEventKey[]> {
  const keys = await db
    .selectFrom('event_key')
    .select(['id', 'public_key as publicKey', 'signature'])
    .orderBy('created_at', 'desc')
    .execute();
  return keys.filter((key) => isEventKeyOf(signer, key));
}
