import { createTypedLine } from '../../cli/password/typed-line';

/** What becomes of these keys, and what was typed. */
function type(keys: string | Buffer) {
  const line = createTypedLine();
  const typed = [...Buffer.from(keys as string)].map((byte) => line.type(byte));
  return { typed, text: line.take().text() };
}

test.each([
  ['letters of several bytes', 'Zürich 🔑', 'Zürich 🔑'],
  ['a backspace takes a whole character back', 'a🔑é\x7f\x7fb', 'ab'],
  ['a backspace on nothing does nothing', '\x7f\x08a', 'a'],
  ['Ctrl-U begins again', 'wrong\x15right', 'right'],
  ['an arrow does not become part of it', 'ab\x1b[D\x1bOCc', 'abc'],
  ['a function key with a number neither', 'a\x1b[15~b', 'ab'],
  ['a tab neither', 'a\tb', 'ab'],
])('%s', (_what, keys, text) => {
  expect(type(keys).text).toBe(text);
});

test('keys that mean nothing are told, so that nobody thinks they counted', () => {
  expect(type('a\t\x1b[Db').typed).toEqual([
    'taken',
    'ignored',
    'ignored',
    'ignored',
    'ignored',
    'taken',
  ]);
});

test.each(['\r', '\n'])('return ends it', (key) => {
  expect(type(key).typed).toEqual(['ended']);
});

test.each(['\x03', '\x04'])('Ctrl-C and Ctrl-D stop it', (key) => {
  expect(type(`ab${key}`).typed.at(-1)).toBe('stopped');
});

test('what does not fit is refused instead of cut off', () => {
  const { typed, text } = type('x'.repeat(4097));
  expect([typed.at(-2), typed.at(-1), text.length]).toEqual(['taken', 'ignored', 4096]);
});
