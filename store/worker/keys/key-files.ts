import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { link, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { Misconfigured } from '../../../config';

/** Reads, writes and destroys key files, which only their owner may read. */

/** Permission bits of group and others. */
const OTHERS = 0o077;

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

/** @throws Misconfigured when others can read the file */
export function readKey(file: string): Buffer {
  refuseWhenReadableByOthers(file);
  return readFileSync(file);
}

export function refuseWhenReadableByOthers(target: string): void {
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

/** Overwrites a key file with random bytes before it is removed. */
export async function shred(target: string): Promise<void> {
  chmodSync(target, 0o600);
  const file = await open(target, 'r+');
  await file.write(randomBytes((await file.stat()).size), 0);
  await file.sync();
  await file.close();
  await rm(target);
}
