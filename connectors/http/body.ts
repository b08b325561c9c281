import { Secret } from '../../model/passwords/secret';
import { zeroableBytes } from '../../model/passwords/zeroable';

/** A JSON value that may contain secrets. A secret is written as a JSON string without becoming a JavaScript string. */
export type Json =
  | string
  | number
  | boolean
  | null
  | Secret
  | readonly Json[]
  | { readonly [name: string]: Json };

/** Encodes a value as JSON. The caller zeroes the bytes. */
export const jsonBytes = (value: Json): Buffer => joined(jsonParts(value));

export const FORM_TYPE = 'application/x-www-form-urlencoded';

/** Encodes fields as `FORM_TYPE`. The caller zeroes the bytes. */
export const formBytes = (fields: Readonly<Record<string, string | Secret>>): Buffer =>
  joined(
    Object.entries(fields).flatMap(([name, value], index) => [
      Buffer.from(`${index === 0 ? '' : '&'}${encodeURIComponent(name)}=`),
      value instanceof Secret ? escaped(value, inForm) : Buffer.from(encodeURIComponent(value)),
    ]),
  );

function jsonParts(value: Json): Buffer[] {
  const text = (json: string) => [Buffer.from(json)];
  if (value instanceof Secret) return [...text('"'), escaped(value, inJson), ...text('"')];
  if (typeof value !== 'object' || value === null) return text(JSON.stringify(value));
  const isList = Array.isArray(value);
  const members = Object.entries(value).flatMap(([name, member], index) => [
    ...text(`${index === 0 ? '' : ','}${isList ? '' : `${JSON.stringify(name)}:`}`),
    ...jsonParts(member),
  ]);
  return [...text(isList ? '[' : '{'), ...members, ...text(isList ? ']' : '}')];
}

/** Returns the escape sequence of a byte, or null if the byte needs none. */
type Escape = (byte: number) => string | null;

/** Escapes quotes, backslashes and control characters (RFC 8259 §7). */
const inJson: Escape = (byte) => {
  if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
  return byte < 0x20 ? `\\u00${hex(byte)}` : null;
};

/** Escapes everything but the unreserved characters (RFC 3986 §2.3). */
const inForm: Escape = (byte) =>
  /[\w.~-]/.test(String.fromCharCode(byte)) ? null : `%${hex(byte).toUpperCase()}`;

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

/** Length of the longest escape sequence, \u00xx. */
const MOST_FOR_A_BYTE = 6;

const escaped = (secret: Secret, insteadOf: Escape): Buffer =>
  secret.use((bytes) => {
    const written = zeroableBytes(bytes.length * MOST_FOR_A_BYTE);
    let end = 0;
    for (const byte of bytes) {
      const instead = insteadOf(byte);
      if (instead === null) written[end++] = byte;
      else end += written.write(instead, end, 'latin1');
    }
    return written.subarray(0, end);
  });

/** Joins the parts into one buffer and zeroes them. */
function joined(parts: readonly Buffer[]): Buffer {
  const whole = zeroableBytes(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    end += part.copy(whole, end);
    part.fill(0);
  }
  return whole;
}
