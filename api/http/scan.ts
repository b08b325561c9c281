import { Secret } from '../../model/passwords/secret';
import {
  byte,
  decoded,
  notJson,
  type Position,
  QUOTE,
  scanString,
  skip,
  type Text,
} from './json-string';
import { HttpProblem } from './problem';
import { requireUtf8 } from './utf8';

export interface ScanLimits {
  /** Names of members of the top-level object that are passwords. They become `Secret`s. */
  readonly secrets: readonly string[];
  /** Selects further strings that may be passwords. They become `Secret`s unless they are empty. */
  readonly mayBeSecret?: MayBeSecret | undefined;
  readonly maxDepth: number;
}

/** Whether the string at a path may be a password. The path has the names of members; list indexes are left out. */
export type MayBeSecret = (names: readonly string[]) => boolean;

export interface Scanned {
  readonly value: unknown;
  /** The secrets in `value`. The caller of `scanJson` destroys them. */
  readonly secrets: readonly Secret[];
}

/**
 * Parses a JSON body (RFC 8259) that may contain passwords. A password becomes a `Secret` without ever being a string,
 * which could not be zeroed: it is blanked in `body`, and only the rest is passed to `JSON.parse`.
 *
 * The parser is stricter than JSON where two parsers could read a body differently, or a source could not store the
 * text: it rejects repeated members, members named `__proto__`, NUL, halves of surrogate pairs and byte order marks.
 * @throws HttpProblem with the place of the mistake, never with its content
 */
export function scanJson(body: Buffer, limits: ScanLimits): Scanned {
  requireUtf8(body);
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

interface Cursor extends Position {
  readonly limits: ScanLimits;
  /** The path of the value that is being read. */
  readonly place: (string | number)[];
  readonly secrets: { readonly place: Place; readonly secret: Secret }[];
}

/** Puts a secret into the parsed value. The path is unambiguous, because repeated members are rejected. */
function put(value: unknown, place: Place, secret: Secret): void {
  const steps = [...place];
  const last = steps.pop() ?? '';
  const holder = steps.reduce((parent, step) => parent[step] as Members, value as Members);
  holder[last] = secret;
}

type Members = { [member: string | number]: unknown };

const SPACES = new Set([...' \t\n\r'].map(byte));
const SCALAR = new Set([...'+-.0123456789eEaflnrstu'].map(byte));
const NUMBER_OR_NAME = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;

/** Reads a value and the white space around it. */
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
    // It would set the prototype of an object, or disappear, instead of becoming a member.
    if (names.has(name) || name === '__proto__')
      throw new HttpProblem('request_invalid', { at: start });
    names.add(name);
    skipSpace(cursor);
    if (!skip(cursor, ':')) throw notJson(cursor);
    within(cursor, name, () => {
      if (depth === 1 && cursor.limits.secrets.includes(name)) scanSecret(cursor, name);
      else scanValue(cursor, depth);
    });
  });
}

/** Runs `scan` one level deeper in the path. */
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
  if (skip(cursor, end)) return;
  let index = 0;
  do scanItem(index++);
  while (skip(cursor, ','));
  if (!skip(cursor, end)) throw notJson(cursor);
}

function scanSecret(cursor: Cursor, name: string): void {
  skipSpace(cursor);
  const at = `/${name}`;
  if (cursor.body[cursor.at] !== QUOTE) throw new HttpProblem('request_invalid', { at });
  const text = scanString(cursor);
  moveOut(cursor, text);
  if (text.from === text.to) throw new HttpProblem('request_invalid', { at });
  skipSpace(cursor);
}

function scanText(cursor: Cursor): void {
  const text = scanString(cursor);
  const names = cursor.place.filter((step) => typeof step === 'string');
  if (text.from < text.to && cursor.limits.mayBeSecret?.(names) === true) moveOut(cursor, text);
}

/** Copies a string into a `Secret` and blanks it in the body. */
function moveOut({ body, place, secrets }: Cursor, text: Text): void {
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

function skipSpace(cursor: Cursor): void {
  while (SPACES.has(cursor.body[cursor.at] ?? 0)) cursor.at++;
}
