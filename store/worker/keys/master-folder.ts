import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Misconfigured } from '../../../config';
import { newId } from '../../ids';
import { readKey, writeKey } from './key-files';
import {
  KeyStoreUnavailable,
  MASTER_KEY_BYTES,
  type MasterKey,
  type MasterKeyStore,
} from './key-store';

const KEY_FILE = '.key';

/**
 * The master keys as files of the key folder: `master/<id>.key`. The file `master/<id>.sum` recognises the key: a file that
 * was cut off, or was replaced by that of another key, is never used. An empty file `master/<id>.saved` records that a
 * backup of the key exists. The folder is made if it is missing.
 * @param dir the key folder of the worker
 */
export function openMasterFolder(dir: string): MasterKeyStore {
  const folder = path.join(dir, 'master');
  const fileOf = (id: string) => path.join(folder, `${id}${KEY_FILE}`);
  const sumOf = (id: string) => path.join(folder, `${id}.sum`);
  const markOf = (id: string) => path.join(folder, `${id}.saved`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });

  const ids = (): string[] =>
    fromFolder(() => readdirSync(folder))
      .filter((file) => file.endsWith(KEY_FILE))
      .map((file) => file.slice(0, -KEY_FILE.length))
      .sort();
  const bytesOf = (id: string): Buffer => {
    if (!existsSync(fileOf(id))) throw new KeyStoreUnavailable('missing');
    const bytes = fromFolder(() => readKey(fileOf(id)));
    // A key of a release before this one has no sum.
    const sum = existsSync(sumOf(id)) ? fromFolder(() => readKey(sumOf(id)).toString()) : null;
    const isWhole = bytes.length === MASTER_KEY_BYTES;
    if (isWhole && (sum === null || sum === sumOfKey(id, bytes))) return bytes;
    throw new KeyStoreUnavailable(
      'damaged',
      `${fileOf(id)} ${isWhole ? 'holds another key' : `is not a key of ${MASTER_KEY_BYTES} bytes`}. Move it away, then run: lockstep sso secret restore.`,
    );
  };
  /** The key and its sum, which is written first: a key without its sum is not checked. */
  const write = async (id: string, bytes: Buffer): Promise<void> => {
    await rm(sumOf(id), { force: true });
    await writeKey(sumOf(id), sumOfKey(id, bytes));
    await writeKey(fileOf(id), bytes);
  };
  const markSaved = (id: string) => closeSync(openSync(markOf(id), 'w', 0o600));

  // What was read stays readable when the folder cannot be reached for a while. New credentials need the folder.
  const readKeys = new Map<string, MasterKey>();
  const masterKey = async (id: string): Promise<MasterKey> => {
    const key = readKeys.get(id) ?? { id, key: createSecretKey(bytesOf(id)) };
    readKeys.set(id, key);
    return key;
  };
  return {
    place: dir,
    masterKey,
    async currentMasterKey() {
      const newest = ids().at(-1);
      if (newest === undefined) throw new KeyStoreUnavailable('missing');
      // What only this process can still read would be lost with it.
      bytesOf(newest).fill(0);
      return masterKey(newest);
    },
    async masterKeyFault(id) {
      try {
        bytesOf(id).fill(0);
        return null;
      } catch (error) {
        if (error instanceof KeyStoreUnavailable) return error;
        throw error;
      }
    },
    unsavedMasterKeys: async () => ids().filter((id) => !existsSync(markOf(id))),
    masterKeyIds: async () => ids(),
    async generate() {
      const id = newId('key');
      await write(id, randomBytes(MASTER_KEY_BYTES));
      return id;
    },
    async add(id, bytes) {
      const isNew = !existsSync(fileOf(id));
      if (isNew) await write(id, bytes);
      // Another process may have been first, so the file is compared in any case.
      if (!bytesOf(id).equals(bytes))
        throw new Misconfigured(
          `${dir} has another master key with the id ${id}. Nothing was replaced.`,
        );
      markSaved(id);
      return isNew;
    },
    markSaved: async (saved) => saved.forEach(markSaved),
    renew: async () => {},
  };
}

/** Recognises a key under its id, and reveals nothing of it. */
const sumOfKey = (id: string, bytes: Buffer): string =>
  createHmac('sha256', bytes).update(`lockstep-master-key\n${id}`).digest('hex');

/** @throws KeyStoreUnavailable for an error of the file system, and for a file that others can read */
function fromFolder<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Misconfigured) throw new KeyStoreUnavailable('exposed', error.message);
    throw new KeyStoreUnavailable('folder');
  }
}
