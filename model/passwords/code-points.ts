import { Secret } from './secret';
import { zeroableBytes } from './zeroable';

/**
 * Lends the code points of a password for one call, in memory that is zeroed afterwards. Lengths and rules count code
 * points, as NIST SP 800-63B-4 §3.1.1.2 requires, not bytes and not UTF-16 units.
 */
export function withCodePoints<T>(secret: Secret, reader: (points: Uint32Array) => T): T {
  const points = secret.use(decodeUtf8);
  try {
    return reader(points);
  } finally {
    points.fill(0);
  }
}

/** Decodes valid UTF-8. The intake refuses any other bytes. */
function decodeUtf8(bytes: Uint8Array): Uint32Array {
  const points = new Uint32Array(zeroableBytes(bytes.length * 4).buffer);
  let count = 0;
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    let point = length === 1 ? first : first & (0xff >> (length + 1));
    for (let next = 1; next < length; next++)
      point = (point << 6) | ((bytes[at + next] ?? 0) & 0x3f);
    points[count++] = point;
    at += length;
  }
  return points.subarray(0, count);
}

/** The password of these code points. The caller destroys it. */
export function secretOf(points: Uint32Array): Secret {
  const bytes = zeroableBytes(points.reduce((sum, point) => sum + utf8Length(point), 0));
  let at = 0;
  for (const point of points) {
    const length = utf8Length(point);
    bytes[at] = (LEADS[length - 1] ?? 0) | (point >> (6 * (length - 1)));
    for (let next = 1; next < length; next++)
      bytes[at + next] = 0x80 | ((point >> (6 * (length - 1 - next))) & 0x3f);
    at += length;
  }
  return Secret.of(bytes);
}

const utf8Length = (point: number): number =>
  point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

/** The high bits of the first byte of a UTF-8 sequence, by the number of bytes that follow. */
const LEADS = [0, 0xc0, 0xe0, 0xf0];
