import type { Dependencies } from '../activities/dependencies';
import { log } from '../log';
import { type KeyStoreProblem, keyStoreProblems } from '../model/key-store-problem';
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

/** Watches the store of the master keys, so that operators learn of a problem before a change has to wait. */
export function watchKeyStore({
  keys,
  configuration,
}: Pick<Dependencies, 'keys' | 'configuration'>): KeyStoreWatch {
  let last: KeyStoreProblem | null = null;
  return {
    async look() {
      const { id, problem } = await sealingKey(keys);
      if (problem !== null && problem !== last)
        log.warn(
          `new credentials cannot be sealed, so changes of mapped accounts wait. ${keyStoreProblems[problem]}`,
          { reason: problem },
        );
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

function noneWhileAway(error: unknown): readonly string[] {
  if (error instanceof KeyStoreUnavailable) return [];
  throw error;
}
