/**
 * Removes the difference between upper and lower case. A letter outside ASCII never becomes one of ASCII, such as the
 * Kelvin sign a "k": a source may keep two accounts whose names differ only in such letters.
 */
export const foldCase = (text: string): string =>
  NOT_ASCII.test(text)
    ? Array.from(text, (letter) => {
        const lower = letter.toLowerCase();
        return NOT_ASCII.test(letter) && !NOT_ASCII_ALONE.test(lower) ? letter : lower;
      }).join('')
    : text.toLowerCase();

/** Removes the difference between upper and lower case of the letters A to Z. */
export const foldAscii = (text: string): string =>
  text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

const NOT_ASCII = /[^\0-\x7f]/;
const NOT_ASCII_ALONE = /^[^\0-\x7f]+$/;
