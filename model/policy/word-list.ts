import { foldedPoints } from './folding';

/** Words to look for in folded code points, by the first of each, so that thousands take one pass. */
export type WordList = ReadonlyMap<number, readonly Uint32Array[]>;

export function wordList(words: Iterable<string>): WordList {
  const list = new Map<number, Uint32Array[]>();
  for (const word of new Set(words)) {
    const points = foldedPoints(word);
    const [first] = points;
    if (first === undefined) continue;
    list.set(first, [...(list.get(first) ?? []), points]);
  }
  return list;
}

/** Whether one of the words is a part of it. */
export function holdsWord(folded: Uint32Array, words: WordList): boolean {
  return folded.some((first, at) =>
    (words.get(first) ?? []).some(
      (word) =>
        at + word.length <= folded.length &&
        word.every((point, offset) => point === folded[at + offset]),
    ),
  );
}

/** Whether it is one of the words, once or several times in a row. */
export function isWord(folded: Uint32Array, words: WordList): boolean {
  const [first] = folded;
  if (first === undefined) return false;
  return (words.get(first) ?? []).some(
    (word) =>
      folded.length % word.length === 0 &&
      folded.every((point, at) => point === word[at % word.length]),
  );
}

/** The words of a text that are this long or longer. */
export const wordsIn = (texts: readonly string[], minLength: number): string[] =>
  texts
    .flatMap((text) => text.split(/[^\p{L}\p{M}\p{N}]+/u))
    .filter((word) => word !== '' && [...word].length >= minLength);

/** Of a DN its first value, without what stands around it; of every other name all of it. */
export const shortName = (accountName: string): string =>
  /^[A-Za-z][\w.-]*=((?:\\.|[^\\,+])*)/.exec(accountName)?.[1] ?? accountName;
