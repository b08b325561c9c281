import { isAscii } from 'node:buffer';
import { secretOf, withCodePoints } from './code-points';
import { forEachPiece } from './pieces';
import type { Secret } from './secret';
import { zeroableBytes } from './zeroable';

/**
 * Returns the password as OpaqueString of RFC 8265 §4.2.2 writes it: each space as U+0020, then NFC. The same visible
 * password then has the same bytes, whichever keyboard it was typed on. Nothing is refused here. The caller destroys the
 * result.
 */
export function normalized(password: Secret): Secret {
  // Most passwords are ASCII, and stay as they are.
  if (password.use(isAscii)) return password.copy();
  return withCodePoints(password, (points) => {
    const composed = new Uint32Array(zeroableBytes(4 * GROWTH * points.length).buffer);
    try {
      let length = 0;
      forEachPiece(points, (piece) => {
        for (const character of piece.replace(OTHER_SPACE, ' ').normalize('NFC'))
          composed[length++] = character.codePointAt(0) ?? 0;
      });
      return secretOf(composed.subarray(0, length));
    } finally {
      composed.fill(0);
    }
  });
}

/** One character becomes at most three by composition (UAX #15). */
const GROWTH = 3;

const OTHER_SPACE = /\p{Zs}/gu;
