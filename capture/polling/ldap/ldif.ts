import { zeroableBytes } from '../../../model/passwords/zeroable';

/** One modification in the `changes` of a changelog (RFC 2849, `mod-spec`). */
export interface Modification {
  /** `add`, `delete` or `replace`. */
  readonly operation: string;
  /** Name of the attribute in lower case, without options. */
  readonly attribute: string;
  /** The values, which may be passwords; the caller zeroes them. */
  readonly values: readonly Buffer[];
}

const LF = 0x0a;
const SPACE = 0x20;
const COLON = 0x3a;

/**
 * Parses the modifications of a changelog entry.
 * @param changes LDIF; it may end with the NUL that 389 Directory Server appends
 */
export function modificationsIn(changes: Buffer): readonly Modification[] {
  const text = unfolded(changes);
  const found: { operation: string; attribute: string; values: Buffer[] }[] = [];
  let open = false;
  for (const line of linesOf(text)) {
    const colon = line.indexOf(COLON);
    const name = line.toString('latin1', 0, Math.max(0, colon)).toLowerCase();
    if (colon === -1) open = false;
    else if (!open) {
      const attribute = line.toString('latin1', colon + 1).trim();
      found.push({
        operation: name,
        attribute: withoutOptions(attribute.toLowerCase()),
        values: [],
      });
      open = true;
    } else found.at(-1)?.values.push(valueIn(line.subarray(colon + 1)));
  }
  text.fill(0);
  return found;
}

/** Copies LDIF without the values of one attribute. The copy still shows that the attribute was changed. */
export function withoutValuesOf(attribute: string, changes: Buffer): Buffer {
  const kept = zeroableBytes(changes.length);
  let end = 0;
  let dropping = false;
  for (const line of linesOf(changes)) {
    if (line[0] !== SPACE) dropping = nameIn(line) === attribute;
    if (dropping) continue;
    end += line.copy(kept, end);
    if (line.byteOffset + line.length < changes.byteOffset + changes.length) kept[end++] = LF;
  }
  return kept.subarray(0, end);
}

const withoutOptions = (attribute: string): string => attribute.split(';')[0] ?? '';

const nameIn = (line: Buffer): string =>
  line.toString('latin1', 0, Math.max(0, line.indexOf(COLON))).toLowerCase();

/** Joins folded lines: a line that begins with a space continues the line before it. */
function unfolded(changes: Buffer): Buffer {
  const text = zeroableBytes(changes.length);
  let end = 0;
  for (let at = 0; at < changes.length; at++) {
    if (changes[at] === LF && changes[at + 1] === SPACE) at++;
    else if (changes[at] !== 0) text[end++] = changes[at] ?? 0;
  }
  return text.subarray(0, end);
}

function* linesOf(text: Buffer): Generator<Buffer> {
  for (let from = 0; from < text.length; ) {
    const found = text.indexOf(LF, from);
    const end = found === -1 ? text.length : found;
    yield text.subarray(from, end);
    from = end + 1;
  }
}

/** Decodes a value. @param written the part of its line after the first colon */
function valueIn(written: Buffer): Buffer {
  if (written[0] === COLON) return decoded(written.subarray(1));
  const from = written[0] === SPACE ? 1 : 0;
  const value = zeroableBytes(written.length - from);
  written.copy(value, 0, from);
  return value;
}

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');

/** Decodes base64 bytes. Node decodes base64 only from strings, and a string with a password cannot be zeroed. */
function decoded(base64: Buffer): Buffer {
  const value = zeroableBytes(Math.floor((base64.length * 3) / 4));
  let [bits, count, end] = [0, 0, 0];
  for (const letter of base64) {
    const digit = ALPHABET.indexOf(letter);
    if (digit === -1) continue;
    bits = ((bits << 6) | digit) & 0xffff;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    value[end++] = (bits >> count) & 0xff;
  }
  return value.subarray(0, end);
}
