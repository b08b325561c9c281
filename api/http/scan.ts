import { isUtf8 } from 'node:buffer';
import { Secret } from '../../model/passwords/secret';
import { zeroableBytes } from '../../model/passwords/zeroable';
import { HttpProblem } from './problem';

/**
 * JSON (RFC 8259) from bytes, for bodies that may hold a password. The members of the top object that are named as
 * secrets, and texts where one may be, become `Secret`s without ever being a string, which nobody could zero; they are
 * blanked in `body`, and only the rest meets `JSON.parse`.
 *
 * Stricter than JSON where two readers could understand different things, or a source could not take the text: no
 * member twice, no NUL, no half of a surrogate pair, no byte order mark.
 */
export interface ScanLimits {
  readonly secrets: readonly string[];
  /** For bodies that hold one in other places: a text there becomes a `Secret`, unless it is empty. */
  readonly mayBeSecret?: MayBeSecret | undefined;
  readonly maxDepth: number;
}

/** The way to a member of the body, names of objects only: those of lists are like one another. */
export type MayBeSecret = (names: readonly string[]) => boolean;

export interface Scanned {
  readonly value: unknown;
  /** Those in `value`; whoever calls `scanJson` destroys them. */
  readonly secrets: readonly Secret[];
}

/** @throws HttpProblem with the place of what is wrong, never with what stands there */
export function scanJson(body: Buffer, limits: ScanLimits): Scanned {
  refuseOtherThanUtf8(body);
  const cursor: Cursor = { body, at: 0, limits, place: [], secrets: [] };
  try {
    scanValue(cursor, 0);
    if (cursor.at < body.length) throw notJson(cursor);
    const value: unknown = JSON.parse(body.toString('utf8'));
    for (const { place, secret } of cursor.secrets) put(value, place, secret);
    return { value, secrets: cursor.secrets.map(({ secret }) => secret) };
  } catch (error) {
    for (const { secret } of cursor.secrets) secret.destroy();
    throw error;
  }
}

type Place = readonly (string | number)[];

interface Cursor {
  readonly body: Buffer;
  readonly limits: ScanLimits;
  /** Of the value that is being read. */
  readonly place: (string | number)[];
  readonly secrets: { readonly place: Place; readonly secret: Secret }[];
  at: number;
}

/** No member is there twice, so each step leads to what was scanned. */
function put(value: unknown, place: Place, secret: Secret): void {
  const steps = [...place];
  const last = steps.pop() ?? '';
  const holder = steps.reduce((one, step) => one[step] as Members, value as Members);
  holder[last] = secret;
}

type Members = { [member: string | number]: unknown };

const byte = (character: string): number => character.charCodeAt(0);
const QUOTE = byte('"');
const BACKSLASH = byte('\\');
const SPACES = new Set([...' \t\n\r'].map(byte));
const SCALAR = new Set([...'+-.0123456789eEaflnrstu'].map(byte));
const NUMBER_OR_NAME = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;

const notJson = (cursor: Cursor) => new HttpProblem('body_not_json', { at: cursor.at });

/** A value and the space around it. */
function scanValue(cursor: Cursor, depth: number): void {
  skipSpace(cursor);
  const first = cursor.body[cursor.at];
  if (first === QUOTE) scanText(cursor);
  else if (first === byte('{')) scanObject(cursor, depth + 1);
  else if (first === byte('['))
    scanItems(cursor, depth + 1, ']', (index) =>
      within(cursor, index, () => scanValue(cursor, depth + 1)),
    );
  else scanScalar(cursor);
  skipSpace(cursor);
}

function scanObject(cursor: Cursor, depth: number): void {
  const names = new Set<string>();
  scanItems(cursor, depth, '}', () => {
    skipSpace(cursor);
    const start = cursor.at;
    const name = decoded(cursor.body, scanString(cursor)).toString('utf8');
    if (names.has(name)) throw new HttpProblem('request_invalid', { at: start });
    names.add(name);
    skipSpace(cursor);
    if (!take(cursor, ':')) throw notJson(cursor);
    within(cursor, name, () => {
      if (depth === 1 && cursor.limits.secrets.includes(name)) scanSecret(cursor, name);
      else scanValue(cursor, depth);
    });
  });
}

function within(cursor: Cursor, step: string | number, scan: () => void): void {
  cursor.place.push(step);
  scan();
  cursor.place.pop();
}

function scanItems(
  cursor: Cursor,
  depth: number,
  end: '}' | ']',
  scanItem: (index: number) => void,
): void {
  if (depth > cursor.limits.maxDepth) throw new HttpProblem('request_invalid', { at: cursor.at });
  cursor.at++;
  skipSpace(cursor);
  if (take(cursor, end)) return;
  let index = 0;
  do scanItem(index++);
  while (take(cursor, ','));
  if (!take(cursor, end)) throw notJson(cursor);
}

function scanSecret(cursor: Cursor, name: string): void {
  skipSpace(cursor);
  const at = `/${name}`;
  if (cursor.body[cursor.at] !== QUOTE) throw new HttpProblem('request_invalid', { at });
  const text = scanString(cursor);
  takeOut(cursor, text);
  if (text.from === text.to) throw new HttpProblem('request_invalid', { at });
  skipSpace(cursor);
}

function scanText(cursor: Cursor): void {
  const text = scanString(cursor);
  const names = cursor.place.filter((step) => typeof step === 'string');
  if (text.from < text.to && cursor.limits.mayBeSecret?.(names) === true) takeOut(cursor, text);
}

function takeOut({ body, place, secrets }: Cursor, text: Text): void {
  secrets.push({ place: [...place], secret: Secret.of(decoded(body, text)) });
  body.fill(' ', text.from, text.to);
}

function scanScalar(cursor: Cursor): void {
  const from = cursor.at;
  let to = from;
  while (SCALAR.has(cursor.body[to] ?? 0)) to++;
  if (!NUMBER_OR_NAME.test(cursor.body.toString('latin1', from, to))) throw notJson(cursor);
  cursor.at = to;
}

/** Where the text between two quotes is. */
interface Text {
  readonly from: number;
  readonly to: number;
}

function scanString(cursor: Cursor): Text {
  if (!take(cursor, '"')) throw notJson(cursor);
  const from = cursor.at;
  for (;;) {
    const next = cursor.body[cursor.at] ?? 0;
    // Control characters, and the end of the body.
    if (next < 0x20) throw notJson(cursor);
    if (next === BACKSLASH) scanEscape(cursor);
    else cursor.at++;
    if (next === QUOTE) return { from, to: cursor.at - 1 };
  }
}

function scanEscape(cursor: Cursor): void {
  const { body, at } = cursor;
  if (body[at + 1] !== byte('u')) {
    if (!ESCAPES.has(body[at + 1] ?? 0)) throw notJson(cursor);
    cursor.at += 2;
    return;
  }
  const { point, length } = escapedPoint(body, at);
  if (point === NO_POINT) throw notJson(cursor);
  if (point === 0 || isHalf(point)) throw new HttpProblem('unsupported_character', { at });
  cursor.at += length;
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
const isFirstHalf = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isSecondHalf = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
const isHalf = (unit: number): boolean => isFirstHalf(unit) || isSecondHalf(unit);

/** What a `\u` escape stands for, or two that are a surrogate pair. */
function escapedPoint(body: Buffer, at: number): { point: number; length: number } {
  const first = escapedUnit(body, at);
  const second = isFirstHalf(first) ? escapedUnit(body, at + 6) : NO_POINT;
  return isSecondHalf(second)
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

/** The UTF-8 bytes of a text that was scanned; never more than it takes in JSON. */
function decoded(body: Buffer, { from, to }: Text): Buffer {
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

/** @returns where the next one goes */
function writePoint(bytes: Buffer, at: number, point: number): number {
  const more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  bytes[at] = (LEADS[more] ?? 0) | (point >> (6 * more));
  for (let index = 1; index <= more; index++)
    bytes[at + index] = 0x80 | ((point >> (6 * (more - index))) & 0x3f);
  return at + more + 1;
}

/** The first byte of a UTF-8 sequence, by how many follow. */
const LEADS = [0, 0xc0, 0xe0, 0xf0];

function refuseOtherThanUtf8(body: Buffer): void {
  if (body.subarray(0, 3).equals(BYTE_ORDER_MARK))
    throw new HttpProblem('body_encoding', { at: 0 });
  if (isUtf8(body)) return;
  let at = 0;
  for (let end = 0; isUtf8(body.subarray(at, end)); ) {
    at = end;
    const lead = body[at] ?? 0;
    end += lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  }
  throw new HttpProblem('body_encoding', { at });
}

const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);

function skipSpace(cursor: Cursor): void {
  while (SPACES.has(cursor.body[cursor.at] ?? 0)) cursor.at++;
}

function take(cursor: Cursor, character: string): boolean {
  if (cursor.body[cursor.at] !== byte(character)) return false;
  cursor.at++;
  return true;
}
