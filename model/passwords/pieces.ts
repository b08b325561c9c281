/**
 * Calls `use` with each character and its marks, one after the other, so that no string ever holds a password. A text is
 * composed (NFC) piece by piece as it is in one.
 */
export function forEachPiece(points: Uint32Array, use: (piece: string) => void): void {
  for (let from = 0, to: number; from < points.length; from = to) {
    to = from + 1;
    while (to < points.length && joins(points[to] ?? 0)) to++;
    use(String.fromCodePoint(...points.subarray(from, to)));
  }
}

/**
 * True for a character that composes with the one before it: a mark, a vowel or final of Hangul, or a vowel of Kirat Rai.
 */
const joins = (point: number): boolean =>
  point >= 0x300 && /[\p{M}\u1160-\u11ff\u{16d63}-\u{16d6a}]/u.test(String.fromCodePoint(point));
