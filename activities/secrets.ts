import { destroyPasswords, type Passwords, unseal } from '../store/sealing';
import { type ChangeAtWork, readSealed } from '../store/work';
import type { Dependencies } from './dependencies';

/**
 * Lends the passwords of a change for the length of one call and destroys them after it.
 * @returns null when the sealed password is gone: too old, or the change has ended
 */
export async function withPasswords<T>(
  { db, keys }: Dependencies,
  change: ChangeAtWork,
  use: (passwords: Passwords) => Promise<T>,
): Promise<T | null> {
  const sealed = await readSealed(db, change.id);
  if (sealed === null) return null;
  const key = await keys.epochKey(sealed.epochId);
  if (key === null) return null;
  const passwords = await unseal(sealed.jwe, key, {
    changeId: change.id,
    identityId: change.identityId,
    seq: change.seq,
    expiresAt: change.expiresAt,
  });
  try {
    return await use(passwords);
  } finally {
    destroyPasswords(passwords);
  }
}
