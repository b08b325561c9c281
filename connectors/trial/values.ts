import { randomBytes } from 'node:crypto';

/**
 * Passwords that a program could change by mistake. Each has a random part, because a history rule rejects a password
 * that an earlier run has set.
 */
export const awkward: Readonly<Record<string, (random: string) => string>> = {
  'quotes and apostrophes': (random) => `Say "it's" "" '' Ok9 ${random}`,
  backslashes: (random) => String.raw`Back\slash\\ \n \5c \00 Ok9 ${random}`,
  'spaces at the ends': (random) => `  Two spaces 9 ${random}  `,
  'characters with a meaning in filters, DNs and SQL': (random) =>
    `*)(uid=*),cn=x;--$$ %s %41 Ok9 ${random}`,
  emoji: (random) => `Clé-🔑-😀-👩‍👩‍👧-9${random}`,
  'combining characters, not composed': (random) => `${random}-Ok-9-Cafe\u0301-n\u0303`,
  'composed characters': (random) => `${random}-Ok-9-Caf\u00e9-\u00f1`,
  'right to left': (random) => `${random}-Ok-9-שלום-عربي`,
  'one character of each class in a long run': (random) => `Aa1!${random}${'x'.repeat(50)}`,
  '256 code points': (random) => `Aa1!${random}${'ä'.repeat(252 - random.length)}`,
};

export const randomPart = (): string => randomBytes(5).toString('hex');

/** Values that a filter or statement without quoting would interpret. */
export const hostile = [
  '*',
  '*)(objectClass=*',
  ')(|(cn=*',
  'a\0b',
  '\\',
  '\\2a',
  "' OR '1'='1",
  '"; --',
  '%',
  '_',
  '\u202e*',
  'ＡＢＣ',
  '',
];
