import { createSecretKey, randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Misconfigured } from '../../../config';
import { newId } from '../../ids';
import { readKey, shred, writeKey } from './key-files';
import type { MasterKey } from './key-store';

/** The master keys of a key folder: files `master/<id>.key` of 32 bytes. The newest one seals new credentials. */

const KEY_BYTES = 32;
const KEY_FILE = '.key';

export const masterFolder = (dir: string): string => path.join(dir, 'master');
const fileOf = (dir: string, id: string): string =>
  path.join(masterFolder(dir), `${id}${KEY_FILE}`);
const markOf = (dir: string, id: string): string => path.join(masterFolder(dir), `${id}.saved`);

/** Ids of the master keys in a key folder, the newest last, because ids grow with time. */
export const masterKeyIds = (dir: string): string[] =>
  readdirSync(masterFolder(dir))
    .filter((file) => file.endsWith(KEY_FILE))
    .map((file) => file.slice(0, -KEY_FILE.length))
    .sort();

/** The master keys without a backup: those without an empty file `<id>.saved` next to them. */
export const unsavedMasterKeys = (dir: string): string[] =>
  masterKeyIds(dir).filter((id) => !existsSync(markOf(dir, id)));

/** Records that a master key has a backup. */
export function markSaved(dir: string, id: string): void {
  closeSync(openSync(markOf(dir, id), 'w', 0o600));
}

/** Makes a master key, which seals new credentials from now on. @returns its id */
export async function createMasterKey(dir: string): Promise<string> {
  const id = newId('key');
  await writeKey(fileOf(dir, id), randomBytes(KEY_BYTES));
  return id;
}

/** @throws Misconfigured when the key is missing, damaged, or can be read by others */
export function readMasterKey(dir: string, id: string): MasterKey {
  return { id, key: createSecretKey(masterKeyBytes(dir, id)) };
}

/** @throws Misconfigured when the key is missing, damaged, or can be read by others */
export function masterKeyBytes(dir: string, id: string): Buffer {
  if (!existsSync(fileOf(dir, id)))
    throw new Misconfigured(
      `The master key ${id} is missing in ${dir}. Restore it: lockstep sso secret restore.`,
    );
  const bytes = readKey(fileOf(dir, id));
  if (bytes.length === KEY_BYTES) return bytes;
  throw new Misconfigured(
    `${fileOf(dir, id)} is not a key of 32 bytes. Move it away, then run: lockstep sso secret restore.`,
  );
}

/**
 * Adds a master key of a backup.
 * @returns false when the folder has this key already
 * @throws Misconfigured when the folder has another key with this id
 */
export async function importMasterKey(dir: string, id: string, bytes: Buffer): Promise<boolean> {
  const isNew = !existsSync(fileOf(dir, id));
  if (isNew) await writeKey(fileOf(dir, id), bytes);
  // Another process may have been first, so the file is compared in any case.
  if (!masterKeyBytes(dir, id).equals(bytes))
    throw new Misconfigured(
      `${dir} has another master key with the id ${id}. Nothing was replaced.`,
    );
  markSaved(dir, id);
  return isNew;
}

/** Destroys a master key. What it sealed cannot be opened again without a backup of it. */
export const destroyMasterKey = (dir: string, id: string): Promise<void> => shred(fileOf(dir, id));
