import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Misconfigured } from '../config';
import { fileError } from '../start-errors';
import { signerKey } from '../store/epochs';

/**
 * Reads the public key by which the api verifies epochs.
 * @returns null until the worker has written the file
 * @throws Misconfigured when the file cannot be read, or holds something else
 */
export function readSigner(file: string): KeyObject | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new Misconfigured(
      `${file} cannot be read (${code}). Let the user of this process read the file and enter its folder.`,
    );
  }
  try {
    return signerKey(JSON.parse(text));
  } catch {
    throw new Misconfigured(
      `${file} does not hold the public key of a signer. Copy signer.pub.json from the key folder of the worker.`,
    );
  }
}

const KEY_BYTES = 32;
const OTHERS = 0o077;

/**
 * Opens the key of the fingerprints, and creates it when the file is missing. Every api and worker of one installation
 * needs the same key.
 * @throws Misconfigured when other users can read the file, or it does not hold a key
 */
export function openFingerprintKey(file: string): KeyObject {
  try {
    return fingerprintKeyIn(file);
  } catch (error) {
    throw fileError('LOCKSTEP_FINGERPRINT_KEY_FILE', file, error);
  }
}

function fingerprintKeyIn(file: string): KeyObject {
  if (!existsSync(file)) makeKey(file);
  if ((statSync(file).mode & OTHERS) !== 0)
    throw new Misconfigured(`${file} can be read by other users. Run: chmod go= ${file}`);
  const bytes = readFileSync(file);
  if (bytes.length !== KEY_BYTES)
    throw new Misconfigured(
      `${file} is not a key of ${KEY_BYTES} bytes. Copy the file from another api or worker, or delete it to make a new one.`,
    );
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/** Creates the file atomically. When another process creates it at the same time, the key of that process stays. */
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
