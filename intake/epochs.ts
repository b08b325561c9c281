import type { KeyObject } from 'node:crypto';
import type { SealingKey } from '../sealing/jwe';
import type { Database } from '../store/database';
import { currentEpoch } from '../store/epochs';

/**
 * Returns the key of the current epoch, to which a new password is sealed.
 * @param now clock of the database
 * @param again true when the key of the call before was refused, so that it is looked up again
 * @returns null when no worker has published a key
 */
export type KeyToSealTo = (now: Date, again?: boolean) => Promise<SealingKey | null>;

/** Time, in milliseconds, for which a key is cached; shorter when its epoch ends. */
const KEPT_MS = 60_000;

/**
 * Makes the cached look-up of the current epoch.
 * @param signer returns the public key that has to have signed the epoch; null before the worker has written it
 */
export function watchEpochs(db: Database, signer: () => KeyObject | null): KeyToSealTo {
  let cached: { readonly key: SealingKey; readonly keptUntil: number } | null = null;
  return async (now, again = false) => {
    if (cached !== null && !again && now.getTime() < cached.keptUntil) return cached.key;
    const trusted = signer();
    const epoch = trusted === null ? null : await currentEpoch(db, trusted);
    const keptUntil = Math.min(epoch?.sealUntil.getTime() ?? 0, now.getTime() + KEPT_MS);
    cached = epoch === null ? null : { key: epoch.key, keptUntil };
    return cached?.key ?? null;
  };
}
