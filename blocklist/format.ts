import { createHash } from 'node:crypto';
import { secretOf, withCodePoints } from '../model/passwords/code-points';
import type { Secret } from '../model/passwords/secret';
import { withFolded } from '../model/policy/folding';

/**
 * Bytes of a key. A blocklist file is a header followed by keys in ascending order, each once. A key is the first 48 bits of the
 * SHA-1 of a password; lists of leaked passwords are published as SHA-1. With a billion passwords the file takes 6 GB, and one
 * unlisted password in about 260,000 is rejected by chance.
 */
export const KEY_BYTES = 6;
/** Number of possible keys. */
export const KEYS = 2 ** 48;

const MAGIC = Buffer.from('lockstep blocklist 1\n');
export const HEADER_BYTES = MAGIC.length + KEY_BYTES;

export function headerOf(count: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUIntBE(count, MAGIC.length, KEY_BYTES);
  return header;
}

/** The number of keys that follow a header; null if it is not the header of a blocklist. */
export const countIn = (header: Buffer): number | null =>
  header.length === HEADER_BYTES && header.subarray(0, MAGIC.length).equals(MAGIC)
    ? header.readUIntBE(MAGIC.length, KEY_BYTES)
    : null;

/** The keys under which a password may be listed: that of its exact form, and that of its folded form without case. */
export function keysOf(password: Secret): readonly number[] {
  const folded = withCodePoints(password, (points) => withFolded(points, secretOf));
  try {
    return [...new Set([password.use(keyOf), folded.use(keyOf)])];
  } finally {
    folded.destroy();
  }
}

/** The key of the UTF-8 bytes of a password. */
export function keyOf(bytes: Buffer): number {
  const hash = createHash('sha1').update(bytes).digest();
  const key = hash.readUIntBE(0, KEY_BYTES);
  hash.fill(0);
  return key;
}
