import { createHash } from 'node:crypto';
import { secretOf, withCodePoints } from '../model/passwords/code-points';
import type { Secret } from '../model/passwords/secret';
import { withFolded } from '../model/policy/folding';

/**
 * A blocklist file: a header, then the first 48 bits of the SHA-1 of each password, in order and each once. SHA-1 is what
 * lists of leaked passwords are published in. A thousand million passwords take 6 GB, and one password in 260,000 is
 * refused that was in none of them.
 */
export const KEY_BYTES = 6;
export const KEYS = 2 ** 48;

const MAGIC = Buffer.from('lockstep blocklist 1\n');
export const HEADER_BYTES = MAGIC.length + KEY_BYTES;

export function headerOf(count: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUIntBE(count, MAGIC.length, KEY_BYTES);
  return header;
}

/** @returns how many keys follow; null when it is no such file */
export const countIn = (header: Buffer): number | null =>
  header.length === HEADER_BYTES && header.subarray(0, MAGIC.length).equals(MAGIC)
    ? header.readUIntBE(MAGIC.length, KEY_BYTES)
    : null;

/** Under which a password may be listed: as it is, and as people read it, without case. */
export function keysOf(password: Secret): readonly number[] {
  const folded = withCodePoints(password, (points) => withFolded(points, secretOf));
  try {
    return [...new Set([password.use(keyOf), folded.use(keyOf)])];
  } finally {
    folded.destroy();
  }
}

export function keyOf(bytes: Buffer): number {
  const hash = createHash('sha1').update(bytes).digest();
  const key = hash.readUIntBE(0, KEY_BYTES);
  hash.fill(0);
  return key;
}
