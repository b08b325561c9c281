import type { Dependencies } from '../activities/dependencies';
import { log } from '../log';
import { type KeyStoreProblem, keyStoreProblems } from '../model/key-store-problem';
import { KeyStoreUnavailable, keyStoreProblem } from '../store/worker/keys/key-store';
import { credentialsByKey } from '../store/worker/rotate-credentials';

interface KeyStoreReport {
  readonly keyStoreProblem: KeyStoreProblem | null;
  readonly unsavedMasterKeys: readonly string[];
}

export interface KeyStoreWatch {
  /** Asks the store of the master keys. */
  look(): Promise<KeyStoreReport>;
  /** The problem that the last look found, for `/readyz`; empty when there was none. */
  missing(): readonly string[];
}

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
  /** A key that was lost shows before a restart: the worker still has it in memory, but no backup or store does. */
  const lostKey = async (): Promise<KeyStoreProblem | null> => {
    if (performance.now() < compareAt) return null;
    const present = await keys.masterKeyIds().catch(problemOf);
    if (typeof present === 'string') return present;
    const needed = [...(await credentialsByKey(db)).keys()];
    if (needed.some((id) => !present.includes(id))) return 'missing';
    compareAt = performance.now() + COMPARE_EVERY_MS;
    return null;
  };
  return {
    async look() {
      const problem = (await keyStoreProblem(keys)) ?? (await lostKey());
      if (problem !== null && problem !== last)
        log.warn(
          `the store of the master keys has a problem, so changes of mapped accounts wait. ${keyStoreProblems[problem]}`,
          { reason: problem },
        );
      last = problem;
      // Only stored credentials of applications depend on a backup.
      const { applications } = (await configuration(0)).configuration;
      const isUsed = Object.keys(applications).length > 0;
      return {
        keyStoreProblem: problem,
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
