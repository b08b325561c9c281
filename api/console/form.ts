import type { IncomingMessage } from 'node:http';
import { Secret } from '../../model/passwords/secret';
import { zeroableBytes } from '../../model/passwords/zeroable';
import { collectBody } from '../http/body';
import { HttpProblem } from '../http/problem';
import { requireUtf8 } from '../http/utf8';

/** The fields of an HTML form. A password is a `Secret`, which the caller of `readForm` destroys. */
export interface Form {
  /** The text of a field; empty if the form does not have it. */
  text(name: string): string;
  /** The password in a field; null if it is empty or missing. */
  secret(name: string): Secret | null;
  /** The names and texts of all fields, without the passwords. */
  readonly texts: Readonly<Record<string, string>>;
  destroy(): void;
}

export const FORM_BYTES = 512 * 1024;
const [AMPERSAND, EQUALS, PLUS, PERCENT, SPACE] = [...'&=+% '].map((text) => text.charCodeAt(0));

/**
 * Reads a form (`application/x-www-form-urlencoded`, WHATWG URL §5.1) as bytes, so that a password never becomes a
 * string. The body is zeroed.
 * @param secrets the names of the fields that are passwords
 * @param limitBytes the size of the body
 * @throws HttpProblem if the body is too large, has another type, or is not UTF-8
 */
export async function readForm(
  request: IncomingMessage,
  secrets: readonly string[],
  limitBytes: number = FORM_BYTES,
): Promise<Form> {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') throw new HttpProblem('request_invalid');
  const body = await collectBody(request, limitBytes);
  const texts = new Map<string, string>();
  const passwords = new Map<string, Secret>();
  const destroy = () => {
    for (const secret of passwords.values()) secret.destroy();
  };
  try {
    for (const { name, value } of pairsIn(body)) {
      requireUtf8(value);
      // PostgreSQL cannot store it, so the JSON routes refuse it, too.
      if (value.includes(0)) throw new HttpProblem('unsupported_character');
      if (!secrets.includes(name)) texts.set(name, value.toString('utf8'));
      else if (value.length > 0 && !passwords.has(name)) passwords.set(name, Secret.of(value));
      else value.fill(0);
    }
  } catch (error) {
    destroy();
    throw error;
  } finally {
    body.fill(0);
  }
  return {
    text: (name) => texts.get(name) ?? '',
    secret: (name) => passwords.get(name) ?? null,
    texts: Object.fromEntries(texts),
    destroy,
  };
}

function* pairsIn(body: Buffer) {
  for (let from = 0; from < body.length; ) {
    const found = body.indexOf(AMPERSAND ?? 0, from);
    const to = found < 0 ? body.length : found;
    const equals = body.subarray(from, to).indexOf(EQUALS ?? 0);
    const middle = equals < 0 ? to : from + equals;
    const name = decoded(body.subarray(from, middle)).toString('utf8');
    yield { name, value: decoded(body.subarray(Math.min(middle + 1, to), to)) };
    from = to + 1;
  }
}

/** Decodes `+` and `%41`. A percent sign without two digits stays as it is. */
function decoded(encoded: Uint8Array): Buffer {
  const bytes = zeroableBytes(encoded.length);
  let length = 0;
  for (let at = 0; at < encoded.length; at++) {
    const byte = encoded[at] ?? 0;
    const [high, low] = [hexDigit(encoded[at + 1]), hexDigit(encoded[at + 2])];
    if (byte === PERCENT && high >= 0 && low >= 0) {
      bytes[length++] = 16 * high + low;
      at += 2;
    } else bytes[length++] = byte === PLUS ? (SPACE ?? 0) : byte;
  }
  return bytes.subarray(0, length);
}

const hexDigit = (byte: number | undefined): number =>
  byte === undefined ? -1 : '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase());
