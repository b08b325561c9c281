import { destroyPasswords, type Passwords, unseal } from '../../sealing/passwords';
import type { KeyStore } from '../../store/worker/keys/key-store';
import type { ChangeAtWork } from '../../store/worker/outcomes';
import type { Dependencies } from '../dependencies';

/**
 * Lends the passwords of a change to `use` for one call.
 * @param use gets null when the passwords are gone, because the change is too old or has ended
 */
export type LendPasswords = <T>(use: (passwords: Passwords | null) => Promise<T>) => Promise<T>;

/**
 * Returns the lender of a change. It unseals the passwords for the first borrower, and destroys them when it has no
 * borrower any more: sources that are passed over at the same time share them.
 */
export function passwordLender(
  { keys }: Pick<Dependencies, 'keys'>,
  change: ChangeAtWork,
): LendPasswords {
  let opened: Promise<Passwords | null> | null = null;
  let borrowers = 0;
  return async (use) => {
    const passwords = opened ?? open(keys, change);
    opened = passwords;
    borrowers += 1;
    try {
      return await use(await passwords);
    } finally {
      borrowers -= 1;
      if (borrowers === 0) {
        opened = null;
        const unsealed = await passwords.catch(() => null);
        if (unsealed !== null) destroyPasswords(unsealed);
      }
    }
  };
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
