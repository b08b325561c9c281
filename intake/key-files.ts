import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Misconfigured } from '../config';
import { signerKey } from '../store/epochs';

/** The public key by which the api knows epochs of ours; null until the worker has written it. */
export function readSigner(file: string): KeyObject | null {
  if (!existsSync(file)) return null;
  try {
    return signerKey(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    throw new Misconfigured(`${file} does not hold the public key of a signer`);
  }
}

const KEY_BYTES = 32;
const OTHERS = 0o077;

/**
 * The key of fingerprints, made when it is not there. Every api of one installation needs the same.
 * @throws Misconfigured when others can read it, or it is not a key
 */
export function openFingerprintKey(file: string): KeyObject {
  if (!existsSync(file)) makeKey(file);
  if ((statSync(file).mode & OTHERS) !== 0)
    throw new Misconfigured(`${file} can be read by others: chmod go= it`);
  const bytes = readFileSync(file);
  if (bytes.length !== KEY_BYTES)
    throw new Misconfigured(`${file} is not a key of ${KEY_BYTES} bytes`);
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/** Whole or not at all; when another api was quicker, its key stays. */
function makeKey(file: string): void {
  const draft = `${file}.${process.pid}.draft`;
  writeFileSync(draft, randomBytes(KEY_BYTES), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if (!existsSync(file)) throw error;
  } finally {
    rmSync(draft);
  }
}
