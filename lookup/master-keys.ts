import { HttpProblem } from '../api/http/problem';
import type { Secret } from '../model/passwords/secret';
import type { StoredCredential } from '../store/lookup';
import { unsealCredential } from '../store/worker/credentials';
import type { KeyStore, MasterKey } from '../store/worker/keys/key-store';
import { masterKeyIds, readMasterKey } from '../store/worker/keys/master-keys';

/** The master keys as the lookup service uses them. It makes none. */
export type MasterKeys = Pick<KeyStore, 'masterKey' | 'currentMasterKey'>;

/** Reads the master keys of a key folder. A key that was read stays readable while the folder cannot be reached. */
export function openMasterKeys(dir: string): MasterKeys {
  const known = new Map<string, MasterKey>();
  const masterKey = async (id: string): Promise<MasterKey> => {
    const master = known.get(id) ?? readMasterKey(dir, id);
    known.set(id, master);
    return master;
  };
  const newestId = (): string | undefined => {
    try {
      return masterKeyIds(dir).at(-1);
    } catch {
      return [...known.keys()].sort().at(-1);
    }
  };
  return { masterKey, currentMasterKey: () => masterKey(newestId() ?? '') };
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
    // The error names a path of the key folder, which is of no use to a caller.
    throw new HttpProblem('keys_away');
  });
