import { isUtf8 } from 'node:buffer';
import { Secret } from '../model/passwords/secret';
import { KEY_BYTES, keyOf, keysOf } from './format';

/** Returns the keys of one line of a password list. @throws Error with the reason if the line cannot be parsed */
export type LineReader = (line: Buffer, minCount: number) => readonly number[];

/** Chooses the reader for a list by its first line. @throws Error if the list holds hashes of an unsupported kind */
export function lineReader(first: Buffer): LineReader {
  const text = first.toString('latin1');
  if (/^[0-9a-f]{40}(:\d+)?$/i.test(text)) return hashLine;
  if (/^[0-9a-f]{32}:\d+$/i.test(text))
    throw new Error('holds NTLM hashes; download the list of SHA-1 hashes');
  return wordLine;
}

const COLON = 0x3a;
const HASH_LENGTH = 40;

/** Reads a `SHA1:count` line of Have I Been Pwned. It checks only the digits that become part of the key. */
const hashLine: LineReader = (line, minCount) => {
  let key = 0;
  for (let at = 0; at < 2 * KEY_BYTES; at++) {
    const digit = hexDigit(line[at] ?? 0);
    if (digit < 0) throw new Error('is not "SHA1:count"');
    key = key * 16 + digit;
  }
  if (line.length === HASH_LENGTH) return [key];
  if (line[HASH_LENGTH] !== COLON) throw new Error('is not "SHA1:count"');
  return minCount > 1 && Number(line.toString('latin1', HASH_LENGTH + 1)) < minCount ? [] : [key];
};

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

const wordLine: LineReader = (line) => (isUtf8(line) ? keysOf(Secret.of(line)) : [keyOf(line)]);
