import { foldedPoints } from './folding';

/** Folded words, indexed by their first code point, so that one pass over a password looks for thousands of words. */
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

/** True when the folded text contains one of the words. */
export function holdsWord(folded: Uint32Array, words: WordList): boolean {
  return folded.some((first, at) =>
    (words.get(first) ?? []).some(
      (word) =>
        at + word.length <= folded.length &&
        word.every((point, offset) => point === folded[at + offset]),
    ),
  );
}

/** True when the folded text is one of the words, once or repeated. */
export function isWord(folded: Uint32Array, words: WordList): boolean {
  const [first] = folded;
  if (first === undefined) return false;
  return (words.get(first) ?? []).some(
    (word) =>
      folded.length % word.length === 0 &&
      folded.every((point, at) => point === word[at % word.length]),
  );
}

/** The words of the texts, without those shorter than `minLength` characters. */
export const wordsIn = (texts: readonly string[], minLength: number): string[] =>
  texts
    .flatMap((text) => text.split(/[^\p{L}\p{M}\p{N}]+/u))
    .filter((word) => word !== '' && [...word].length >= minLength);

/** The value of the first part of a DN (`alice` of `uid=alice,dc=example`); any other name unchanged. */
export const shortName = (accountName: string): string =>
  /^[A-Za-z][\w.-]*=((?:\\.|[^\\,+])*)/.exec(accountName)?.[1] ?? accountName;
