import { HttpProblem } from '../api/http/problem';
import type { Secret } from '../model/passwords/secret';
import type { StoredCredential } from '../store/lookup';
import { unsealCredential } from '../store/worker/credentials';
import type {
  MasterKey,
  MasterKeyStore,
  MasterKeys as Store,
} from '../store/worker/keys/key-store';

/** The master keys as the lookup service uses them. It makes none. */
export type MasterKeys = Pick<Store, 'masterKey' | 'currentMasterKey'>;

/** The master keys of a store. While it is unavailable, the newest key that was read makes and opens tickets. */
export function lookupKeys(store: Pick<MasterKeyStore, 'masterKey' | 'masterKeyIds'>): MasterKeys {
  let newest: MasterKey | null = null;
  return {
    masterKey: (id) => store.masterKey(id),
    async currentMasterKey() {
      try {
        const id = (await store.masterKeyIds()).at(-1);
        if (id === undefined) throw new HttpProblem('keys_away');
        newest = await store.masterKey(id);
        return newest;
      } catch (error) {
        if (newest === null) throw error;
        return newest;
      }
    },
  };
}

/**
 * Opens a stored credential. The caller destroys the returned secret.
 * @throws HttpProblem `keys_away` when its master key cannot be read
 */
export async function openCredential(
  keys: MasterKeys,
  { mappingId, masterKeyId, seq, sealed }: StoredCredential,
): Promise<Secret> {
  const master = await available(keys.masterKey(masterKeyId));
  return unsealCredential(master, mappingId, seq, sealed);
}

/** @throws HttpProblem `keys_away` when no master key can be read */
export const newestKey = (keys: MasterKeys): Promise<MasterKey> =>
  available(keys.currentMasterKey());

const available = (reading: Promise<MasterKey>): Promise<MasterKey> =>
  reading.catch(() => {
    // The error is about the key folder or the key server, which is of no use to a caller.
    throw new HttpProblem('keys_away');
  });
