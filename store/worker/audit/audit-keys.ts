import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Misconfigured } from '../../../config';
import { newId } from '../../ids';
import { readKey, refuseWhenReadableByOthers, writeKey } from '../keys/key-files';

/** A key of the audit chain, which the database does not hold. It covers the records from one position on. */
export interface AuditKey {
  readonly id: string;
  /** Key for HMAC-SHA-256. */
  readonly key: KeyObject;
  /** The first position that is chained with this key. */
  readonly from: number;
  /** The hash of the record before that, so that the earlier chain cannot be replaced. 32 zeros before the first. */
  readonly after: Buffer;
  readonly createdAt: Date;
}

/** The keys of the audit chain. */
export interface AuditKeys {
  /** All keys, the oldest first. */
  list(): Promise<readonly AuditKey[]>;
  create(from: number, after: Buffer): Promise<AuditKey>;
  /** Whether an operator has asked for a new key since the last call. */
  takeRotation(): Promise<boolean>;
}

const KEY_BYTES = 32;
const EXTENSION = '.json';
/** An operator creates this file in the folder to have the next records chained with a new key. */
const ROTATE = 'rotate';

/**
 * Keeps the keys of the audit chain as files of the key folder: `audit/<id>.json`. Every worker needs all of them, as it
 * needs the other keys. Each call reads the folder, because another worker may have added a key.
 * @throws Misconfigured when the folder or a key can be read by others, or a key file is damaged
 */
export function openAuditKeys(keyDir: string): AuditKeys {
  const dir = path.join(keyDir, 'audit');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  refuseWhenReadableByOthers(dir);
  const opened = new Map<string, AuditKey>();
  const open = (id: string): AuditKey => {
    const key = opened.get(id) ?? keyIn(id, path.join(dir, `${id}${EXTENSION}`));
    opened.set(id, key);
    return key;
  };
  return {
    list: async () =>
      readdirSync(dir)
        .filter((file) => file.startsWith('key_') && file.endsWith(EXTENSION))
        .map((file) => file.slice(0, -EXTENSION.length))
        .sort()
        .map(open),
    async create(from, after) {
      const id = newId('key');
      const content = {
        key: randomBytes(KEY_BYTES).toString('base64url'),
        from,
        after: after.toString('hex'),
        createdAt: new Date(),
      };
      await writeKey(path.join(dir, `${id}${EXTENSION}`), JSON.stringify(content));
      return open(id);
    },
    async takeRotation() {
      const wanted = existsSync(path.join(dir, ROTATE));
      if (wanted) rmSync(path.join(dir, ROTATE));
      return wanted;
    },
  };
}

function keyIn(id: string, file: string): AuditKey {
  try {
    const { key, from, after, createdAt } = JSON.parse(readKey(file).toString('utf8'));
    const bytes = Buffer.from(key, 'base64url');
    if (bytes.length !== KEY_BYTES || !Number.isInteger(from)) throw new Error('not a key');
    return {
      ...{ id, key: createSecretKey(bytes), from },
      ...{ after: Buffer.from(after, 'hex'), createdAt: new Date(createdAt) },
    };
  } catch (error) {
    if (error instanceof Misconfigured) throw error;
    // The message of the parser quotes the file, so it is not passed on.
    throw new Misconfigured(
      `${file} does not hold a key of the audit chain. Restore it from a backup of the key folder.`,
    );
  }
}
