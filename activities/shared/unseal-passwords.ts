import { destroyPasswords, type Passwords, unseal } from '../../sealing/passwords';
import type { KeyStore } from '../../store/worker/keys/key-store';
import type { ChangeAtWork } from '../../store/worker/outcomes';
import type { Dependencies } from '../dependencies';

/**
 * Unseals the passwords of a change, lends them to `use` for one call, and destroys them when it ends.
 * @param use gets null when the passwords are gone, because the change is too old or has ended
 */
export async function withPasswords<T>(
  { keys }: Dependencies,
  change: ChangeAtWork,
  use: (passwords: Passwords | null) => Promise<T>,
): Promise<T> {
  const passwords = await open(keys, change);
  try {
    return await use(passwords);
  } finally {
    if (passwords !== null) destroyPasswords(passwords);
  }
}

async function open(keys: KeyStore, change: ChangeAtWork): Promise<Passwords | null> {
  if (change.sealed === null) return null;
  const key = await keys.epochKey(change.sealed.epochId);
  if (key === null) return null;
  return unseal(change.sealed.jwe, key, {
    changeId: change.id,
    identityId: change.identityId,
    seq: change.seq,
    expiresAt: change.expiresAt,
  });
}
