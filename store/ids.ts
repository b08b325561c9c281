import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_LETTERS = 10;
const RANDOM_LETTERS = 16;

type Prefix =
  | 'chg'
  | 'idn'
  | 'acc'
  | 'map'
  | 'key'
  | 'job'
  | 'ep'
  | 'rly'
  | 'usr'
  | 'ses'
  | 'tkt'
  | 'msg'
  | 'otl';

/**
 * Makes an id that sorts by its time of creation, as a ULID does: `chg_01jd…`. It holds nothing secret or personal,
 * so it may appear in Temporal, logs and URLs.
 */
export function newId(prefix: Prefix): string {
  let time = Date.now();
  let letters = '';
  for (let count = 0; count < TIME_LETTERS; count++) {
    letters = ALPHABET.charAt(time % 32) + letters;
    time = Math.floor(time / 32);
  }
  for (const byte of randomBytes(RANDOM_LETTERS)) letters += ALPHABET.charAt(byte % 32);
  return `${prefix}_${letters}`;
}

const idTail = new RegExp(`^_[${ALPHABET}]{${TIME_LETTERS + RANDOM_LETTERS}}$`);

/** Whether a text has the form of an id with this prefix. The database is not asked. */
export const isId = (prefix: Prefix, text: string): boolean =>
  text.startsWith(prefix) && idTail.test(text.slice(prefix.length));
