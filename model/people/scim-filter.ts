/**
 * A filter of SCIM (RFC 7644 §3.4.2.2) over the attributes of a user that Lockstep stores. A comparison with any other
 * attribute matches no user.
 */
export type ScimFilter =
  | { readonly is: 'and' | 'or'; readonly left: ScimFilter; readonly right: ScimFilter }
  | { readonly is: 'not'; readonly one: ScimFilter }
  | ScimComparison;

/**
 * One comparison. `attribute` is null for an attribute that Lockstep does not store; `value` is null for `pr` and for
 * null.
 */
export interface ScimComparison {
  readonly is: Comparison;
  readonly attribute: ScimAttribute | null;
  readonly value: string | boolean | null;
}

const comparisons = ['eq', 'ne', 'co', 'sw', 'ew', 'pr'] as const;
export type Comparison = (typeof comparisons)[number];

const attributes = ['id', 'userName', 'externalId', 'active'] as const;
export type ScimAttribute = (typeof attributes)[number];

export const SCIM_USER = 'urn:ietf:params:scim:schemas:core:2.0:User';

/**
 * The attribute name without the URN of the schema, in lower case: `urn:ietf:params:scim:schemas:core:2.0:User:active`
 * gives `active`. SCIM ignores the case of names (RFC 7643 §2.1).
 */
export function plainName(name: string): string {
  const lower = name.toLowerCase();
  const prefix = `${SCIM_USER.toLowerCase()}:`;
  return lower.startsWith(prefix) ? lower.slice(prefix.length) : lower;
}

/** @returns null when the text is not a filter, or uses a part of the syntax that no known provider sends */
export function parseScimFilter(text: string): ScimFilter | null {
  const tokens = text.match(TOKEN) ?? [];
  if (tokens.join('') !== text.replaceAll(OUTSIDE_OF_TEXTS, '$1')) return null;
  const reader = { tokens, at: 0 };
  const filter = readOr(reader);
  return filter !== null && reader.at === tokens.length ? filter : null;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[()]|[^\s()"]+/g;
/** White space outside quoted texts; the texts themselves are group 1. */
const OUTSIDE_OF_TEXTS = /("(?:[^"\\]|\\.)*")|\s+/g;

interface Reader {
  readonly tokens: readonly string[];
  at: number;
}

const readOr = (reader: Reader): ScimFilter | null => readJoined(reader, 'or', readAnd);
const readAnd = (reader: Reader): ScimFilter | null => readJoined(reader, 'and', readOne);

function readJoined(
  reader: Reader,
  is: 'and' | 'or',
  readNext: (reader: Reader) => ScimFilter | null,
): ScimFilter | null {
  let left = readNext(reader);
  while (left !== null && take(reader, is)) {
    const right: ScimFilter | null = readNext(reader);
    left = right && { is, left, right };
  }
  return left;
}

function readOne(reader: Reader): ScimFilter | null {
  if (take(reader, 'not')) {
    const one = reader.tokens[reader.at] === '(' ? readOne(reader) : null;
    return one && { is: 'not', one };
  }
  if (!take(reader, '(')) return readComparison(reader);
  const inner = readOr(reader);
  return take(reader, ')') ? inner : null;
}

function readComparison(reader: Reader): ScimFilter | null {
  const name = next(reader);
  const word = next(reader)?.toLowerCase();
  const is = comparisons.find((one) => one === word);
  if (name === undefined || is === undefined || !ATTRIBUTE.test(name)) return null;
  const attribute = attributes.find((one) => one.toLowerCase() === plainName(name)) ?? null;
  if (is === 'pr') return { is, attribute, value: null };
  const value = literal(next(reader));
  if (value === undefined) return null;
  if (attribute === 'active') {
    const active = scimBoolean(value);
    return active === null || !(is === 'eq' || is === 'ne')
      ? null
      : { is, attribute, value: active };
  }
  const fits = typeof value === 'string' || (value === null && (is === 'eq' || is === 'ne'));
  return fits || attribute === null ? { is, attribute, value } : null;
}

/** Reads a boolean of SCIM, also as the texts "True" and "False" that Entra sends; null for anything else. */
export function scimBoolean(value: unknown): boolean | null {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  return text === 'true' ? true : text === 'false' ? false : null;
}

const ATTRIBUTE = /^[a-z][\w.:$-]*$/i;

function literal(token: string | undefined): string | boolean | null | undefined {
  if (token === undefined || !/^(?:".*"|true|false|null)$/s.test(token)) return undefined;
  try {
    const value: string | boolean | null = JSON.parse(token);
    return typeof value === 'string' && value.includes('\0') ? undefined : value;
  } catch {
    return undefined;
  }
}

const next = (reader: Reader): string | undefined => reader.tokens[reader.at++];

function take(reader: Reader, word: string): boolean {
  if (reader.tokens[reader.at]?.toLowerCase() !== word) return false;
  reader.at++;
  return true;
}
