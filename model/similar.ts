/** The most single edits by which a word may differ from a known one to be taken for a misspelling of it. */
const MAX_EDITS = 3;

/** The known word that is most similar to this one; null if none is similar. */
export function mostSimilar(word: string, known: readonly string[]): string | null {
  const [nearest] = known
    .map((one) => ({ one, edits: editsBetween(word, one) }))
    .filter(({ one, edits }) => edits <= Math.min(MAX_EDITS, one.length / 3))
    .toSorted((a, b) => a.edits - b.edits);
  return nearest?.one ?? null;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other (Damerau, 1964). */
function editsBetween(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0;
  for (let row = 1; row <= from.length; row++) {
    rows.push([row]);
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      rows[row]?.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + (same ? 0 : 1),
          row > 1 && column > 1 && swapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
  }
  return at(from.length, to.length);
}
