import { createSecretKey, randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync } from 'node:fs';
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
 * The master keys as files of the key folder: `master/<id>.key`. An empty file `master/<id>.saved` records that a backup
 * of the key exists. The folder is made if it is missing.
 * @param dir the key folder of the worker
 */
export function openMasterFolder(dir: string): MasterKeyStore {
  const folder = path.join(dir, 'master');
  const fileOf = (id: string) => path.join(folder, `${id}${KEY_FILE}`);
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
    if (bytes.length === MASTER_KEY_BYTES) return bytes;
    throw new Misconfigured(
      `${fileOf(id)} is not a key of ${MASTER_KEY_BYTES} bytes. Move it away, then run: lockstep sso secret restore.`,
    );
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
      return masterKey(newest);
    },
    unsavedMasterKeys: async () => ids().filter((id) => !existsSync(markOf(id))),
    masterKeyIds: async () => ids(),
    async generate() {
      const id = newId('key');
      await writeKey(fileOf(id), randomBytes(MASTER_KEY_BYTES));
      return id;
    },
    async add(id, bytes) {
      const isNew = !existsSync(fileOf(id));
      if (isNew) await writeKey(fileOf(id), bytes);
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

/** @throws KeyStoreUnavailable for an error of the file system */
function fromFolder<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Misconfigured) throw error;
    throw new KeyStoreUnavailable('folder');
  }
}
