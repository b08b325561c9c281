import { createHash } from 'node:crypto';
import type { ShaCrypt } from '../model/hashes/layout';

/**
 * The hash of U. Drepper, "Unix crypt using SHA-256 and SHA-512", version 0.6, as text. Comments name the steps of that
 * document.
 */
export function shaCrypt(
  { digest, rounds }: ShaCrypt,
  password: Uint8Array,
  salt: Uint8Array,
): Buffer {
  const hash = (...parts: readonly Uint8Array[]) => {
    const sum = createHash(digest);
    for (const part of parts) sum.update(part);
    return sum.digest();
  };
  // Steps 4 to 8
  const other = hash(password, salt, password);
  // Steps 1 to 3 and 9 to 12
  const first = [password, salt, stretched(other, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1)
    first.push(bits & 1 ? other : Buffer.from(password));
  let sum = hash(...first);
  // Steps 13 to 20
  const p = stretched(hash(...repeated(password, password.length)), password.length);
  const s = stretched(hash(...repeated(salt, 16 + (sum[0] ?? 0))), salt.length);
  // Step 21
  for (let round = 0; round < rounds; round++) {
    const odd = round % 2 === 1;
    const parts = [odd ? p : sum];
    if (round % 3 !== 0) parts.push(s);
    if (round % 7 !== 0) parts.push(p);
    parts.push(odd ? sum : p);
    sum = hash(...parts);
  }
  p.fill(0);
  return Buffer.from(encoded(sum));
}

const repeated = (bytes: Uint8Array, times: number): Uint8Array[] => Array(times).fill(bytes);

/** Repeats a digest up to the given length in bytes. */
const stretched = (digest: Buffer, length: number): Buffer => Buffer.alloc(length, digest);

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Step 22: encodes three bytes at a time, in the order of the document, with the lowest six bits first. */
function encoded(sum: Buffer): string {
  const third = Math.floor(sum.length / 3);
  // SHA-256 rotates its triples in the other direction than SHA-512, and ends with two bytes instead of one.
  const turn = sum.length === 32 ? 1 : -1;
  const triples = Array.from({ length: third }, (_, at) => {
    const begin = (((turn * -at) % 3) + 3) % 3;
    return [0, 1, 2].map((index) => at + third * ((begin + index) % 3));
  });
  const rest = sum.length === 32 ? letters([sum[31], sum[30]], 3) : letters([sum[63]], 2);
  return (
    triples
      .map((triple) =>
        letters(
          triple.map((at) => sum[at]),
          4,
        ),
      )
      .join('') + rest
  );
}

/** Encodes bytes in base 64 of crypt(3). @param bytes the highest first @param count number of characters */
function letters(bytes: readonly (number | undefined)[], count: number): string {
  const value = bytes.reduce<number>((sum, byte = 0) => sum * 256 + byte, 0);
  return Array.from({ length: count }, (_, at) => ALPHABET[(value >> (6 * at)) & 0x3f]).join('');
}
