import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { link, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { Misconfigured } from '../../../config';
import type { JsonWebKey } from '../../../sealing/published-key';
import { newId } from '../../ids';
import type { KeyStore, MasterKey } from './key-store';

/** Name of the file with the public key that checks the signatures of epochs. */
export const SIGNER_PUBLIC_FILE = 'signer.pub.json';

/** Permission bits of group and others. */
const OTHERS = 0o077;
const KEY_BYTES = 32;

/**
 * Keeps keys as files of a folder that only the worker may read. Several workers of one machine, or of one shared
 * volume, may use the same folder. Missing folders, the signer and the first master key are made.
 *
 *     signer.json, signer.pub.json   Ed25519; the api gets the second file
 *     epochs/<id>.json               X25519, private
 *     master/<id>.key                32 bytes
 *
 * @throws Misconfigured when the folder or a key can be read by others, or a key file is damaged
 */
export async function openKeyDirectory(dir: string): Promise<KeyStore> {
  for (const sub of ['', 'epochs', 'master']) {
    mkdirSync(path.join(dir, sub), { recursive: true, mode: 0o700 });
    refuseWhenReadableByOthers(path.join(dir, sub));
  }
  const epochFile = (id: string) => path.join(dir, 'epochs', `${id}.json`);
  const masterFile = (id: string) => path.join(dir, 'master', `${id}.key`);
  const signer = await signerIn(dir);
  await masterKeyIn(path.join(dir, 'master'));
  const opened = new Map<string, KeyObject>();

  const masterKey = async (id: string): Promise<MasterKey> => {
    if (!existsSync(masterFile(id)))
      throw new Misconfigured(
        `The master key ${id} is missing in ${dir}. Restore it from a backup of the key folder.`,
      );
    const bytes = readKey(masterFile(id));
    if (bytes.length !== KEY_BYTES)
      throw new Misconfigured(
        `${masterFile(id)} is not a key of 32 bytes. Restore it from a backup of the key folder.`,
      );
    return { id, key: createSecretKey(bytes) };
  };

  return {
    masterKey,
    async currentMasterKey() {
      const newest = masterKeyIds(path.join(dir, 'master')).at(-1);
      if (newest === undefined)
        throw new Misconfigured(
          `There is no master key in ${dir}. Restore one from a backup of the key folder.`,
        );
      return masterKey(newest);
    },
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

/** Overwrites a key file with random bytes before it is removed. */
async function shred(target: string): Promise<void> {
  chmodSync(target, 0o600);
  const file = await open(target, 'r+');
  await file.write(randomBytes((await file.stat()).size), 0);
  await file.sync();
  await file.close();
  await rm(target);
}

/**
 * The master keys in a key folder without a backup: those without an empty file `<id>.saved` next to them, which an
 * operator makes after the backup.
 */
export const unsavedMasterKeys = (dir: string): string[] =>
  masterKeyIds(path.join(dir, 'master')).filter(
    (id) => !existsSync(path.join(dir, 'master', `${id}.saved`)),
  );

/** Ids of the master keys in a folder, the newest last, because ids grow with time. */
const masterKeyIds = (dir: string): string[] =>
  readdirSync(dir)
    .filter((file) => file.endsWith('.key'))
    .map((file) => file.slice(0, -'.key'.length))
    .sort();

async function masterKeyIn(dir: string): Promise<void> {
  if (masterKeyIds(dir).length > 0) return;
  await writeKey(path.join(dir, `${newId('key')}.key`), randomBytes(KEY_BYTES));
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

export function privateKeyIn(file: string): KeyObject {
  try {
    return createPrivateKey({ key: JSON.parse(readKey(file).toString('utf8')), format: 'jwk' });
  } catch (error) {
    if (error instanceof Misconfigured) throw error;
    // The message of the parser quotes the file, so it is not passed on.
    throw new Misconfigured(
      `${file} does not hold a private key. Restore it from a backup of the key folder.`,
    );
  }
}

function readKey(file: string): Buffer {
  refuseWhenReadableByOthers(file);
  return readFileSync(file);
}

function refuseWhenReadableByOthers(target: string): void {
  if ((statSync(target).mode & OTHERS) === 0) return;
  throw new Misconfigured(`${target} can be read by others. Run: chmod go= ${target}`);
}

/**
 * Writes a key file completely or not at all, also in a power failure. A file that exists already is kept: another
 * worker was first.
 */
export async function writeKey(
  target: string,
  content: string | Buffer,
  mode = 0o400,
): Promise<void> {
  const draft = `${target}.${randomBytes(6).toString('hex')}.draft`;
  const file = await open(draft, 'w', 0o600);
  await file.writeFile(content);
  await file.chmod(mode);
  await file.sync();
  await file.close();
  await link(draft, target).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(draft);
  const folder = await open(path.dirname(target), 'r');
  await folder.sync();
  await folder.close();
}
