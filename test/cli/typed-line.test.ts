import { createTypedLine } from '../../cli/password/typed-line';

/** Types these keys. @returns the result of each key, and the line */
function type(keys: string | Buffer) {
  const line = createTypedLine();
  const typed = [...Buffer.from(keys as string)].map((byte) => line.type(byte));
  return { typed, text: line.take().text() };
}

test.each([
  ['accepts letters of several bytes', 'Zürich 🔑', 'Zürich 🔑'],
  ['removes a whole character with backspace', 'a🔑é\x7f\x7fb', 'ab'],
  ['ignores backspace at its start', '\x7f\x08a', 'a'],
  ['is cleared by Ctrl-U', 'wrong\x15right', 'right'],
  ['ignores an arrow key', 'ab\x1b[D\x1bOCc', 'abc'],
  ['ignores a function key', 'a\x1b[15~b', 'ab'],
  ['ignores a tab', 'a\tb', 'ab'],
])('a typed line %s', (_what, keys, text) => {
  expect(type(keys).text).toBe(text);
});

test('a typed line reports keys that it ignores', () => {
  expect(type('a\t\x1b[Db').typed).toEqual([
    'accepted',
    'ignored',
    'ignored',
    'ignored',
    'ignored',
    'accepted',
  ]);
});

test.each(['\r', '\n'])('return ends a typed line: %j', (key) => {
  expect(type(key).typed).toEqual(['ended']);
});

test.each(['\x03', '\x04'])('Ctrl-C and Ctrl-D stop a typed line: %j', (key) => {
  expect(type(`ab${key}`).typed.at(-1)).toBe('stopped');
});

test('a typed line ignores bytes beyond its limit instead of dropping earlier ones', () => {
  const { typed, text } = type('x'.repeat(4097));
  expect([typed.at(-2), typed.at(-1), text.length]).toEqual(['accepted', 'ignored', 4096]);
});
