import { destroyPasswords, type Passwords, unseal } from '../sealing/passwords';
import type { KeyStore } from '../store/worker/keys/key-store';
import type { ChangeAtWork } from '../store/worker/outcomes';
import type { Dependencies } from './dependencies';

/**
 * Lends the passwords of a change for the length of one call and destroys them after it.
 * @param use gets null when they are gone: the change is too old, or has ended
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
