import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { JsonWebKey } from '../../../sealing/published-key';
import { privateKeyIn, refuseWhenReadableByOthers, shred, writeKey } from './key-files';
import type { KeyStore, MasterKeyStore } from './key-store';
import { openMasterFolder } from './master-folder';

/** Name of the file with the public key that checks the signatures of epochs. */
export const SIGNER_PUBLIC_FILE = 'signer.pub.json';

/**
 * Keeps keys as files of a folder that only the worker may read. Several workers of one machine, or of one shared
 * volume, may use the same folder. Missing folders and the signer are made, and the first master key unless master keys
 * are kept elsewhere.
 *
 *     signer.json, signer.pub.json   Ed25519; the api gets the second file
 *     epochs/<id>.json               X25519, private
 *     master/                        see master-folder.ts
 *     audit/                         see audit-keys.ts
 *
 * @param elsewhere the master keys, if they are not in this folder
 * @throws Misconfigured when the folder or a key can be read by others, or a key file is damaged
 */
export async function openKeyDirectory(dir: string, elsewhere?: MasterKeyStore): Promise<KeyStore> {
  for (const sub of ['', 'epochs', 'master']) {
    mkdirSync(path.join(dir, sub), { recursive: true, mode: 0o700 });
    refuseWhenReadableByOthers(path.join(dir, sub));
  }
  const epochFile = (id: string) => path.join(dir, 'epochs', `${id}.json`);
  const signer = await signerIn(dir);
  const master = elsewhere ?? openMasterFolder(dir);
  if (elsewhere === undefined && (await master.masterKeyIds()).length === 0)
    await master.generate();
  const opened = new Map<string, KeyObject>();

  return {
    masterKey: master.masterKey,
    currentMasterKey: master.currentMasterKey,
    masterKeyIds: master.masterKeyIds,
    masterKeyFault: master.masterKeyFault,
    unsavedMasterKeys: master.unsavedMasterKeys,
    async createEpochKey(epochId) {
      const { publicKey, privateKey } = generateKeyPairSync('x25519');
      await writeKey(epochFile(epochId), JSON.stringify(privateKey.export({ format: 'jwk' })));
      return publicKey.export({ format: 'jwk' }) as JsonWebKey;
    },
    async epochKey(epochId) {
      // Another worker may have destroyed the key file; then the copy in memory must not be used either.
      if (!existsSync(epochFile(epochId))) {
        opened.delete(epochId);
        return null;
      }
      const key = opened.get(epochId) ?? privateKeyIn(epochFile(epochId));
      opened.set(epochId, key);
      return key;
    },
    async destroyEpochKey(epochId) {
      opened.delete(epochId);
      if (existsSync(epochFile(epochId))) await shred(epochFile(epochId));
    },
    sign: async (message) => sign(null, message, signer).toString('base64url'),
  };
}

async function signerIn(dir: string): Promise<KeyObject> {
  const file = path.join(dir, 'signer.json');
  if (!existsSync(file)) {
    await rm(path.join(dir, SIGNER_PUBLIC_FILE), { force: true });
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeKey(file, JSON.stringify(privateKey.export({ format: 'jwk' })));
  }
  const signer = privateKeyIn(file);
  const publicHalf = JSON.stringify(createPublicKey(signer).export({ format: 'jwk' }));
  await writeKey(path.join(dir, SIGNER_PUBLIC_FILE), publicHalf, 0o444);
  return signer;
}
