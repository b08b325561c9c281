import type { Secret } from '../../model/passwords/secret';
import { readCredentials, unsealCredential } from '../../store/worker/credentials';
import type { Dependencies } from '../dependencies';

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
