import { zeroableBytes } from '../../model/passwords/zeroable';
import { HttpProblem } from './problem';

/** JSON strings (RFC 8259) as bytes: finding where one ends, and decoding it without creating a JavaScript string. */

/** A body and the offset of the next byte to read. */
export interface Position {
  readonly body: Buffer;
  at: number;
}

export const byte = (character: string): number => character.charCodeAt(0);
export const QUOTE = byte('"');
const BACKSLASH = byte('\\');

export const notJson = ({ at }: Position) => new HttpProblem('body_not_json', { at });

/** Reads one byte if it is `character`, and returns whether it was. */
export function skip(position: Position, character: string): boolean {
  if (position.body[position.at] !== byte(character)) return false;
  position.at++;
  return true;
}

/** The range of a string between its quotes, as byte offsets. */
export interface Text {
  readonly from: number;
  readonly to: number;
}

/**
 * Reads a string with its quotes.
 * @throws HttpProblem if it is not JSON, or contains NUL or half of a surrogate pair
 */
export function scanString(position: Position): Text {
  if (!skip(position, '"')) throw notJson(position);
  const from = position.at;
  for (;;) {
    const next = position.body[position.at] ?? 0;
    // Control characters, or the end of the body.
    if (next < 0x20) throw notJson(position);
    if (next === BACKSLASH) scanEscape(position);
    else position.at++;
    if (next === QUOTE) return { from, to: position.at - 1 };
  }
}

function scanEscape(position: Position): void {
  const { body, at } = position;
  if (body[at + 1] !== byte('u')) {
    if (!ESCAPES.has(body[at + 1] ?? 0)) throw notJson(position);
    position.at += 2;
    return;
  }
  const { point, length } = escapedPoint(body, at);
  if (point === NO_POINT) throw notJson(position);
  if (point === 0 || isSurrogate(point)) throw new HttpProblem('unsupported_character', { at });
  position.at += length;
}

const ESCAPES: ReadonlyMap<number, number> = new Map(
  Object.entries({
    '"': '"',
    '\\': '\\',
    '/': '/',
    b: '\b',
    f: '\f',
    n: '\n',
    r: '\r',
    t: '\t',
  }).map(([letter, meaning]) => [byte(letter), byte(meaning)]),
);

const NO_POINT = -1;
const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
const isSurrogate = (unit: number): boolean => isHighSurrogate(unit) || isLowSurrogate(unit);

/** The code point of a `\u` escape, or of two escapes that form a surrogate pair, and their length in bytes. */
function escapedPoint(body: Buffer, at: number): { point: number; length: number } {
  const first = escapedUnit(body, at);
  const second = isHighSurrogate(first) ? escapedUnit(body, at + 6) : NO_POINT;
  return isLowSurrogate(second)
    ? { point: 0x10000 + (first - 0xd800) * 0x400 + (second - 0xdc00), length: 12 }
    : { point: first, length: 6 };
}

function escapedUnit(body: Buffer, at: number): number {
  if (body[at] !== BACKSLASH || body[at + 1] !== byte('u')) return NO_POINT;
  const digits = [2, 3, 4, 5].map((offset) =>
    HEX_DIGITS.indexOf(lowerCase(body[at + offset] ?? 0)),
  );
  return digits.includes(-1) ? NO_POINT : digits.reduce((unit, digit) => unit * 16 + digit, 0);
}

const HEX_DIGITS = [...'0123456789abcdef'].map(byte);
const lowerCase = (letter: number): number =>
  letter >= 0x41 && letter <= 0x46 ? letter + 0x20 : letter;

/** The UTF-8 bytes of a string that `scanString` has read. They are never longer than the string is in JSON. */
export function decoded(body: Buffer, { from, to }: Text): Buffer {
  const bytes = zeroableBytes(to - from);
  let length = 0;
  for (let at = from; at < to; ) {
    const next = body[at] ?? 0;
    if (next !== BACKSLASH) {
      bytes[length++] = next;
      at++;
    } else if (body[at + 1] !== byte('u')) {
      bytes[length++] = ESCAPES.get(body[at + 1] ?? 0) ?? 0;
      at += 2;
    } else {
      const escaped = escapedPoint(body, at);
      length = writePoint(bytes, length, escaped.point);
      at += escaped.length;
    }
  }
  return bytes.subarray(0, length);
}

/**
 * Writes a code point as UTF-8.
 * @returns the offset after it
 */
function writePoint(bytes: Buffer, at: number, point: number): number {
  const following = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  bytes[at] = (LEADS[following] ?? 0) | (point >> (6 * following));
  for (let index = 1; index <= following; index++)
    bytes[at + index] = 0x80 | ((point >> (6 * (following - index))) & 0x3f);
  return at + following + 1;
}

/** The lead byte of a UTF-8 sequence, by the number of bytes that follow it. */
const LEADS = [0, 0xc0, 0xe0, 0xf0];
