/** A file of words that may be no part of a password, in the format and with the limits of SailPoint's. */

export const dictionaryLimits = { maxLines: 2_500, maxLineLength: 128 };

export type Dictionary =
  | { readonly words: readonly string[] }
  /** From 1. */
  | { readonly line: number; readonly says: string };

export function parseDictionary(text: string): Dictionary {
  const { maxLines, maxLineLength } = dictionaryLimits;
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > maxLines)
    return { line: maxLines + 1, says: `is one line more than the ${maxLines} allowed` };
  const long = lines.findIndex((line) => [...line].length > maxLineLength);
  if (long >= 0)
    return { line: long + 1, says: `is longer than the ${maxLineLength} characters allowed` };
  return { words: lines.map((line) => line.trim()).filter(isWord) };
}

/** Besides words there are comments and the language of the file. */
const isWord = (line: string): boolean => line !== '' && !/^#|^locale=/.test(line);
