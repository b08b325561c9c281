/** The limits of a dictionary file, which are those of SailPoint; `maxLineLength` is in characters. */
export const dictionaryLimits = { maxLines: 2_500, maxLineLength: 128 };

/** The words of a dictionary file, or the first line (counted from 1) that is wrong and why. */
export type Dictionary =
  | { readonly words: readonly string[] }
  | { readonly line: number; readonly says: string };

/** Parses a file of words that a password may not contain, in the format of SailPoint: one word a line. */

export function parseDictionary(text: string): Dictionary {
  const { maxLines, maxLineLength } = dictionaryLimits;
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > maxLines)
    return { line: maxLines + 1, says: `is beyond the ${maxLines} lines allowed; remove lines` };
  const long = lines.findIndex((line) => [...line].length > maxLineLength);
  if (long >= 0)
    return { line: long + 1, says: `is longer than ${maxLineLength} characters; shorten it` };
  return { words: lines.map((line) => line.trim()).filter(isWord) };
}

/** False for empty lines, comments and the line with the language of the file. */
const isWord = (line: string): boolean => line !== '' && !/^#|^locale=/.test(line);
