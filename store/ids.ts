import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_LETTERS = 10;
const RANDOM_LETTERS = 16;

/**
 * A readable id that sorts by time of birth, as a ULID does: `chg_01jd…`. It holds nothing secret or personal, so it may
 * stand in Temporal, logs and URLs.
 */
export function newId(prefix: 'chg' | 'idn' | 'acc' | 'map' | 'key' | 'err' | 'ep'): string {
  let time = Date.now();
  let letters = '';
  for (let count = 0; count < TIME_LETTERS; count++) {
    letters = ALPHABET.charAt(time % 32) + letters;
    time = Math.floor(time / 32);
  }
  for (const byte of randomBytes(RANDOM_LETTERS)) letters += ALPHABET.charAt(byte % 32);
  return `${prefix}_${letters}`;
}
