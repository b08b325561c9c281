import { Secret } from './secret';
import { zeroableBytes } from './zeroable';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
/** The length of `\u001f`, the longest escape of one byte. */
const LONGEST_ESCAPE = 6;

/**
 * Builds a JSON object without making a string of a password: a string cannot be zeroed. Undefined members are left out.
 * The caller destroys the returned secret.
 */
export function jsonBody(members: Readonly<Record<string, unknown>>): Secret {
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  const parts = [
    Buffer.from('{'),
    ...given.flatMap(([name, value], index) => [
      Buffer.from(`${index === 0 ? '' : ','}${JSON.stringify(name)}:`),
      value instanceof Secret ? value : Buffer.from(JSON.stringify(value)),
    ]),
    Buffer.from('}'),
  ];
  const body = zeroableBytes(parts.reduce((sum, part) => sum + longest(part), 0));
  const length = parts.reduce(
    (at, part) =>
      part instanceof Secret
        ? part.use((bytes) => writeText(bytes, body, at))
        : at + part.copy(body, at),
    0,
  );
  return Secret.of(body.subarray(0, length));
}

const longest = (part: Buffer | Secret): number =>
  part instanceof Secret ? part.use(({ length }) => 2 + LONGEST_ESCAPE * length) : part.length;

/** Writes UTF-8 text as a JSON string at offset `from`. @returns the offset after it */
function writeText(text: Buffer, body: Buffer, from: number): number {
  let at = body.writeUInt8(QUOTE, from);
  for (const byte of text) {
    if (byte < SPACE) {
      at += body.write(`\\u00${byte.toString(16).padStart(2, '0')}`, at);
      continue;
    }
    if (byte === QUOTE || byte === BACKSLASH) at = body.writeUInt8(BACKSLASH, at);
    at = body.writeUInt8(byte, at);
  }
  return body.writeUInt8(QUOTE, at);
}
