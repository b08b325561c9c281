import fc from 'fast-check';
import { normalized } from '../../../model/passwords/normalize';
import { Secret } from '../../../model/passwords/secret';

/** OpaqueString of RFC 8265 §4.2.2, by the string functions of JavaScript. */
const opaque = (text: string) => text.replace(/\p{Zs}/gu, ' ').normalize('NFC');

const textOf = (text: string) => normalized(Secret.fromText(text)).text();

const CHUNK = 256;

/** The planes with letters and marks, and the ideographs that are composed. The other characters stay as they are. */
const ranges = [
  [0, 0x20000],
  [0x2f800, 0x2fb00],
  [0xe0000, 0xe0200],
] as const;

test('a password is normalized as RFC 8265 requires, for each character and what it is composed of', () => {
  for (const [first, end] of ranges)
    for (let start = first; start < end; start += CHUNK) {
      const points = Array.from({ length: CHUNK }, (_, at) => start + at);
      const characters = points
        .filter((point) => point < 0xd800 || point > 0xdfff)
        .map((point) => String.fromCodePoint(point));
      for (const text of [characters.join(''), `a${characters.join('a')}`])
        for (const form of [text, text.normalize('NFD')])
          if (textOf(form) !== opaque(form)) throw new Error(`differs at U+${start.toString(16)}`);
    }
});

test('a password of any characters is normalized as RFC 8265 requires, and normalizing it again changes nothing', () => {
  const marked = fc.constantFrom('e', '\u0301', '\u0323', '\u1100', '\u1161', '\u11a8', '\u00a0');
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.oneof(marked, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
      }),
      (text) => {
        expect(textOf(text)).toBe(opaque(text));
        expect(textOf(textOf(text))).toBe(textOf(text));
      },
    ),
  );
});

test.each([
  ['a letter and its accent become one character', 'Cafe\u0301 9', 'Caf\u00e9 9'],
  ['a no-break space becomes a space', 'a\u00a0b', 'a b'],
  ['a zero-width space stays', 'a\u200bb', 'a\u200bb'],
  ['full-width letters stay', '\uff21\uff22', '\uff21\uff22'],
  ['spaces at the ends and letter case stay', '  Ab ', '  Ab '],
])('%s', (_what, typed, written) => {
  expect(textOf(typed)).toBe(written);
});

test('the password that was typed is not changed or destroyed', () => {
  const typed = Secret.fromText('Cafe\u0301');
  normalized(typed).destroy();
  expect(typed.text()).toBe('Cafe\u0301');
});
