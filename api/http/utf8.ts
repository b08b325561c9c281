import { isUtf8 } from 'node:buffer';
import { HttpProblem } from './problem';

const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);

/**
 * Rejects a body that is not UTF-8 or that starts with a byte order mark.
 * @throws HttpProblem with the offset of the first wrong byte
 */
export function requireUtf8(body: Buffer): void {
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
