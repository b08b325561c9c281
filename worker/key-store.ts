import type { Dependencies } from '../activities/dependencies';
import { log } from '../log';
import { type KeyStoreProblem, keyStoreSays } from '../model/key-store-problem';
import { credentialsByKey } from '../store/master-keys';
import { KeyStoreUnavailable, sealingKey } from '../store/worker/keys/key-store';

interface KeyStoreReport {
  readonly keyStoreProblem: KeyStoreProblem | null;
  /** The master key that seals new credentials; null while none can be sealed. */
  readonly currentMasterKey: string | null;
  readonly unsavedMasterKeys: readonly string[];
}

export interface KeyStoreWatch {
  /** Asks the store of the master keys. */
  look(): Promise<KeyStoreReport>;
  /** The problem that the last look found, for `/readyz`; empty when there was none. */
  missing(): readonly string[];
}

/** That of a bound worker, which has no master keys and needs none. */
export const noKeyStore: KeyStoreWatch = {
  look: async () => ({ keyStoreProblem: null, unsavedMasterKeys: [], currentMasterKey: null }),
  missing: () => [],
};

/** While each key was present, all stored credentials are looked at again only after this time. */
const COMPARE_EVERY_MS = 30_000;

/** Watches the store of the master keys, so that operators learn of a problem before a change has to wait. */
export function watchKeyStore({
  db,
  keys,
  configuration,
}: Pick<Dependencies, 'db' | 'keys' | 'configuration'>): KeyStoreWatch {
  let last: KeyStoreProblem | null = null;
  let compareAt = 0;
  /**
   * A key that was lost or damaged shows before a restart: the worker still has it in memory, but no backup or store does.
   * @param current the key that seals new credentials, with which changes go on
   */
  const lostKey = async (current: string): Promise<KeyStoreProblem | null> => {
    if (performance.now() < compareAt) return null;
    const present = await keys.masterKeyIds().catch(problemOf);
    if (typeof present === 'string') return present;
    const needed = [...(await credentialsByKey(db)).keys()].sort();
    for (const id of needed) {
      const isOlder = id < current;
      if (!present.includes(id)) return isOlder ? 'older_missing' : 'missing';
      const fault = await keys.masterKeyFault(id);
      if (fault !== null) return isOlder ? 'older_damaged' : fault.problem;
    }
    compareAt = performance.now() + COMPARE_EVERY_MS;
    return null;
  };
  return {
    async look() {
      const { id, problem: sealing } = await sealingKey(keys);
      const problem = sealing ?? (id === null ? null : await lostKey(id));
      if (problem !== null && problem !== last)
        log.warn(`the store of the master keys has a problem. ${keyStoreSays(problem)}`, {
          reason: problem,
        });
      last = problem;
      // Only stored credentials of applications depend on a backup.
      const { applications } = (await configuration(0)).configuration;
      const isUsed = Object.keys(applications).length > 0;
      return {
        keyStoreProblem: problem,
        currentMasterKey: id,
        unsavedMasterKeys: isUsed ? await keys.unsavedMasterKeys().catch(noneWhileAway) : [],
      };
    },
    missing: () => (last === null ? [] : [`key store (${last})`]),
  };
}

function problemOf(error: unknown): KeyStoreProblem {
  if (error instanceof KeyStoreUnavailable) return error.problem;
  throw error;
}

function noneWhileAway(error: unknown): readonly string[] {
  if (error instanceof KeyStoreUnavailable) return [];
  throw error;
}
