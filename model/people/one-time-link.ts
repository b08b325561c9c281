/** How the help desk has checked that the caller is the person. */
export const callerChecks = {
  'called-back': 'called back at a number on file',
  'in-person': 'showed an identity document in person',
  video: 'showed an identity document by video',
  manager: 'confirmed by the manager',
  other: 'another way, which the comment describes',
} as const;

export type CallerCheck = keyof typeof callerChecks;

export const isCallerCheck = (text: unknown): text is CallerCheck =>
  typeof text === 'string' && Object.hasOwn(callerChecks, text);

/** Crockford's base 32: no letter looks like a digit, so a code can be read out on the phone. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LETTERS = 16;
const IN_BLOCK = 4;

/** A code of 80 bits. @param bytes 16 random bytes */
export const codeOf = (bytes: Uint8Array): string =>
  [...bytes.subarray(0, LETTERS)]
    .map(
      (byte, index) =>
        `${index > 0 && index % IN_BLOCK === 0 ? '-' : ''}${ALPHABET.charAt(byte % 32)}`,
    )
    .join('');

/** A code as a person has typed it; null if the text is not a code. */
export function readCode(text: string): string | null {
  const letters = text
    .toUpperCase()
    .replaceAll(/[\s-]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');
  const isCode = letters.length === LETTERS && [...letters].every((one) => ALPHABET.includes(one));
  return isCode ? (letters.match(/.{4}/g) ?? []).join('-') : null;
}
