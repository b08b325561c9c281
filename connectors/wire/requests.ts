import type { Secret } from '../../model/secret';
import { zeroableBytes } from '../../model/zeroable';
import type { Operation } from './answers';

/** Grows only when an old program would misunderstand a new request. */
export const WIRE_VERSION = 1;

/**
 * One request: a line of JSON, so that `read` in a shell is enough. The password never becomes a string of ours, which
 * nobody could zero. Whoever asks for the request zeroes it.
 */
export function requestOf(operation: Operation, fields: object, password?: Secret): Buffer {
  const head = JSON.stringify({ version: WIRE_VERSION, operation, ...fields });
  if (password === undefined) return Buffer.from(`${head}\n`);
  const before = Buffer.from(`${head.slice(0, -1)},"password":"`);
  const after = Buffer.from('"}\n');
  return password.use((bytes) => {
    const parts = [before, escaped(bytes), after];
    const request = zeroableBytes(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) at += part.copy(request, at);
    parts[1]?.fill(0);
    return request;
  });
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const LONGEST_ESCAPE = 6;

/** The inside of a JSON string (RFC 8259 section 7) of bytes that are UTF-8. */
function escaped(bytes: Buffer): Buffer {
  const into = zeroableBytes(bytes.length * LONGEST_ESCAPE);
  let at = 0;
  for (const byte of bytes) {
    if (byte < FIRST_PRINTABLE)
      at += into.write(`\\u00${byte.toString(16).padStart(2, '0')}`, at, 'latin1');
    else {
      if (byte === QUOTE || byte === BACKSLASH) into[at++] = BACKSLASH;
      into[at++] = byte;
    }
  }
  return into.subarray(0, at);
}
