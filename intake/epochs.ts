import type { KeyObject } from 'node:crypto';
import type { SealingKey } from '../sealing/jwe';
import type { Database } from '../store/database';
import { currentEpoch } from '../store/epochs';

/**
 * @param now by the clock of the database
 * @param again the key that was given last did not serve
 * @returns null when no worker has published a key
 */
export type KeyToSealTo = (now: Date, again?: boolean) => Promise<SealingKey | null>;

/** Looked up again before it ends, and now and then: a newer one may be there. */
const KEPT_MS = 60_000;

export function watchEpochs(db: Database, signer: () => KeyObject | null): KeyToSealTo {
  let known: { readonly key: SealingKey; readonly keptUntil: number } | null = null;
  return async (now, again = false) => {
    if (known !== null && !again && now.getTime() < known.keptUntil) return known.key;
    const trusted = signer();
    const epoch = trusted === null ? null : await currentEpoch(db, trusted);
    const keptUntil = Math.min(epoch?.sealUntil.getTime() ?? 0, now.getTime() + KEPT_MS);
    known = epoch === null ? null : { key: epoch.key, keptUntil };
    return known?.key ?? null;
  };
}
