import { existsSync } from 'node:fs';
import path from 'node:path';
import { Misconfigured } from '../../../config';
import { privateKeyIn, refuseWhenReadableByOthers } from './key-files';
import { type KeyStore, KeyStoreUnavailable } from './key-store';

/** What the key folder of a bound worker must not contain. */
const OF_OTHERS = ['master', 'audit', 'signer.json', 'events.json'];

/**
 * Opens the keys of a bound worker: it reads the keys of epochs, which another worker makes and destroys, and has no
 * other key.
 * @param dir a key folder that contains only `epochs/`
 * @throws Misconfigured when the folder shows other keys of Lockstep, has no epochs, or can be read by others
 */
export function openEpochFolder(dir: string): KeyStore {
  const shown = OF_OTHERS.find((name) => existsSync(path.join(dir, name)));
  if (shown !== undefined)
    throw new Misconfigured(
      `LOCKSTEP_KEY_DIR: ${path.join(dir, shown)} is visible. Show a worker with LOCKSTEP_WORKER_SOURCES nothing of the key folder but epochs/, see docs/deploying.md.`,
    );
  const folder = path.join(dir, 'epochs');
  if (!existsSync(folder))
    throw new Misconfigured(
      `LOCKSTEP_KEY_DIR: ${folder} does not exist. Start a worker of all sources first, and share that folder.`,
    );
  refuseWhenReadableByOthers(folder);
  const withoutMasterKeys = async () => {
    throw new KeyStoreUnavailable('missing');
  };
  const withoutSigner = async () => {
    throw new Error('A bound worker makes and destroys no keys.');
  };
  return {
    currentMasterKey: withoutMasterKeys,
    masterKey: withoutMasterKeys,
    unsavedMasterKeys: async () => [],
    masterKeyIds: async () => [],
    masterKeyFault: async () => null,
    createEpochKey: withoutSigner,
    destroyEpochKey: withoutSigner,
    sign: withoutSigner,
    // The file is read each time, because another worker may destroy it at any time.
    async epochKey(epochId) {
      const file = path.join(folder, `${epochId}.json`);
      return existsSync(file) ? privateKeyIn(file) : null;
    },
  };
}
