import { forEachPiece } from '../passwords/pieces';
import { zeroablePoints } from '../passwords/zeroable';

/**
 * Lends the folded code points for one call: composed (NFC) and without case, so that texts which people read as equal
 * become equal. The text is folded one letter with its marks at a time, so that no string ever holds a password.
 */
export function withFolded<T>(points: Uint32Array, reader: (folded: Uint32Array) => T): T {
  const folded = zeroablePoints(GROWTH * points.length);
  try {
    let length = 0;
    forEachPiece(points, (piece) => {
      for (const character of foldedPiece(piece)) folded[length++] = character.codePointAt(0) ?? 0;
    });
    return reader(folded.subarray(0, length));
  } finally {
    folded.fill(0);
  }
}

/** The folded code points of a text that is not secret. */
export const foldedPoints = (text: string): Uint32Array =>
  withFolded(
    Uint32Array.from([...text], (character) => character.codePointAt(0) ?? 0),
    (folded) => folded.slice(),
  );

/**
 * One character becomes at most three, by composition (UAX #15) or by conversion to upper case (SpecialCasing.txt),
 * never by both.
 */
const GROWTH = 3;

/** Converts to upper case first, which unites letters that lower case keeps apart, such as ß and ss, ς and σ. */
const foldedPiece = (piece: string): string =>
  piece.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
