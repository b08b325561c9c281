import type { Secret } from '../../model/passwords/secret';
import { readCredentials, readUnstored, unsealCredential } from '../../store/worker/credentials';
import type { Dependencies } from '../dependencies';
import { settleMappings } from '../settle-mappings';

/**
 * Lends `use` the stored credentials of an account, and destroys them afterwards.
 * @param applications only the credentials of these applications
 */
export async function withStoredCredentials<T>(
  { db, keys }: Pick<Dependencies, 'db' | 'keys'>,
  accountId: string,
  applications: readonly string[],
  use: (credentials: readonly Secret[]) => Promise<T>,
): Promise<T> {
  const sealed = await readCredentials(db, accountId, applications);
  const opened: Secret[] = [];
  try {
    for (const { id, seq, masterKeyId, sealed: bytes } of sealed)
      opened.push(unsealCredential(await keys.masterKey(masterKeyId), id, seq, bytes));
    return await use(opened);
  } finally {
    for (const credential of opened) credential.destroy();
  }
}

/**
 * Lends `use` the password that an account holds, as its mapping has it; null if none is stored. A change that has
 * written the account and is still under way stores its credential first.
 */
export async function withHeldPassword<T>(
  deps: Dependencies,
  accountId: string,
  applications: readonly string[],
  use: (held: Secret | null) => Promise<T>,
): Promise<T> {
  const writer = await readUnstored(deps.db, accountId);
  if (writer !== null) await settleMappings(deps)(writer);
  return withStoredCredentials(deps, accountId, applications, ([held = null]) => use(held));
}
