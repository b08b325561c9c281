import { zeroableBytes } from '../passwords/zeroable';

/**
 * Texts that people take for the same become the same: composed (NFC) and without case. Piece by piece, a letter with
 * its marks at a time, so that no string ever holds a password.
 */
export function withFolded<T>(points: Uint32Array, reader: (folded: Uint32Array) => T): T {
  const folded = new Uint32Array(zeroableBytes(4 * GROWTH * points.length).buffer);
  try {
    let length = 0;
    for (let from = 0, to: number; from < points.length; from = to) {
      to = from + 1;
      while (to < points.length && joins(points[to] ?? 0)) to++;
      for (const character of foldedPiece(String.fromCodePoint(...points.subarray(from, to))))
        folded[length++] = character.codePointAt(0) ?? 0;
    }
    return reader(folded.subarray(0, length));
  } finally {
    folded.fill(0);
  }
}

/** For texts that are not secret. */
export const foldedPoints = (text: string): Uint32Array =>
  withFolded(
    Uint32Array.from([...text], (character) => character.codePointAt(0) ?? 0),
    (folded) => folded.slice(),
  );

/** One character becomes three at most, composed (UAX #15) and in upper case (SpecialCasing.txt), never by both. */
const GROWTH = 3;

/** Upper case first: it brings together what lower case keeps apart, such as ß and ss, ς and σ. */
const foldedPiece = (piece: string): string =>
  piece.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');

/** Marks, and the vowels and finals of Hangul: all that composes with what stands before it. */
const joins = (point: number): boolean =>
  point >= 0x300 && /[\p{M}\u1160-\u11ff]/u.test(String.fromCodePoint(point));
