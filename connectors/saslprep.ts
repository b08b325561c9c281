import { leftToRightInUnicode32, unassignedInUnicode32 } from './unicode-3.2';

/**
 * SASLprep (RFC 4013) as the server and libpq of PostgreSQL implement it (src/common/saslprep.c): text that SASLprep
 * forbids is returned unchanged and not rejected, and the check runs before normalization.
 */
export function saslprep(text: string): string {
  const mapped = text.replace(NON_ASCII_SPACE, ' ').replace(MAPPED_TO_NOTHING, '');
  const forbidden =
    mapped === '' ||
    PROHIBITED.test(mapped) ||
    unassignedInUnicode32.test(mapped) ||
    !isBidiSafe(mapped);
  return forbidden ? text : mapped.normalize('NFKC');
}

/** RFC 3454 table C.1.2: characters that are mapped to a space. */
const NON_ASCII_SPACE = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;

/** RFC 3454 table B.1: characters that are removed. */
const MAPPED_TO_NOTHING =
  /\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200b-\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/g;

/** RFC 3454 tables C.2 to C.9: prohibited characters. */
const PROHIBITED =
  /[\p{Cc}\p{Co}\p{Noncharacter_Code_Point}]|[\u0340-\u0341]|[\u06dd\u070f\u180e\u200e\u200f\u2028-\u202e\u2061-\u2063\u206a-\u206f\u2ff0-\u2ffb\ufff9-\ufffd\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;

/** RFC 3454 table D.1: characters that are written from right to left. */
const RIGHT_TO_LEFT =
  /(?![\p{M}\p{Nd}\u060c\u066a-\u066c\u06de\u06e9\ufb29\ufd3e\ufd3f])[\u05be\u05c0-\u07ff\ufb1d-\ufdfc\ufe70-\ufefc]/u;

/**
 * RFC 3454 section 6: text with a right-to-left character begins and ends with one, and contains no left-to-right
 * character.
 */
function isBidiSafe(text: string): boolean {
  const points = [...text];
  const rightToLeft = points.map((point) => RIGHT_TO_LEFT.test(point));
  if (!rightToLeft.includes(true)) return true;
  const mixed = leftToRightInUnicode32.test(text);
  return !mixed && rightToLeft[0] === true && rightToLeft.at(-1) === true;
}
