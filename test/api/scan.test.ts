import fc from 'fast-check';
import { HttpProblem } from '../../api/http/problem';
import { scanJson } from '../../api/http/scan';

const limits = { secrets: ['password', 'currentPassword'], maxDepth: 8 };

const scan = (text: string | Buffer) => scanJson(Buffer.from(text), limits);

/** The value that the scanner returns, with secrets converted back to text. */
function read(text: string | Buffer): unknown {
  const { value, secrets } = scan(text);
  const members = Object.entries(value as object).map(([name, member]) =>
    secrets.includes(member) ? [name, member.text()] : [name, member],
  );
  return Object.fromEntries(members);
}

function refusal(text: string | Buffer): { code: string; at?: unknown } {
  try {
    scan(text);
  } catch (error) {
    if (error instanceof HttpProblem) return { code: error.code, at: error.details.at };
    throw error;
  }
  throw new Error('the body was accepted');
}

/** JSON text of a value in one of its many spellings, with random escapes and white space. */
const spelled = (value: fc.JsonValue): fc.Arbitrary<string> =>
  fc.infiniteStream(fc.nat(7)).map((dice) => spell(value, () => dice.next().value ?? 0));

function spell(value: fc.JsonValue, roll: () => number): string {
  const space = () => ['', '', '', ' ', '\n', '\t', '\r\n', '  '][roll()] ?? '';
  const padded = (text: string) => `${space()}${text}${space()}`;
  if (typeof value === 'string')
    return padded(`"${[...value].map((character) => letter(character, roll)).join('')}"`);
  if (Array.isArray(value))
    return padded(`[${value.map((item) => spell(item, roll)).join(',') || space()}]`);
  if (typeof value === 'object' && value !== null)
    return padded(
      `{${Object.entries(value)
        .map(([name, member]) => `${spell(name, roll)}:${spell(member as fc.JsonValue, roll)}`)
        .join(',')}}`,
    );
  return padded(JSON.stringify(value));
}

function letter(character: string, roll: () => number): string {
  const units = [...Array(character.length).keys()].map((index) => character.charCodeAt(index));
  const escaped = units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
  if (roll() === 0) return escaped;
  if (roll() === 1) return escaped.toUpperCase().replaceAll('\\U', '\\u');
  return JSON.stringify(character).slice(1, -1);
}

/** Text without NUL and halves of surrogate pairs, which JSON allows and Lockstep rejects. */
const text = fc.string({ unit: 'grapheme' }).map((one) => one.replaceAll('\0', ''));
/** A name of a member: any text but `__proto__`, which JSON.parse accepts and Lockstep rejects. */
const memberName = text.filter((one) => one !== '__proto__');
const anyJson = fc.letrec<{ value: fc.JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(memberName, tie('value'), { maxKeys: 4 }),
  ),
})).value;

describe('the scanner of password bodies', () => {
  test('the scanner reads every JSON object with a password as JSON.parse does', () => {
    const body = fc
      .tuple(fc.dictionary(memberName, anyJson, { maxKeys: 5 }), text, fc.option(text))
      .map(([members, password, current]) => ({
        ...members,
        password: `${password}x`,
        ...(current === null ? {} : { currentPassword: `${current}y` }),
      }))
      .chain((value) => spelled(value));
    fc.assert(
      fc.property(body, (json) => {
        expect(read(json)).toEqual(JSON.parse(json));
      }),
      { numRuns: 3000 },
    );
  });

  test('the bytes of a secret are the UTF-8 encoding of the password', () => {
    fc.assert(
      fc.property(text, (password) => {
        const { secrets } = scan(JSON.stringify({ password: `${password}x` }));
        secrets[0]?.use((bytes) => expect(bytes).toEqual(Buffer.from(`${password}x`)));
      }),
    );
  });

  test('the scanner throws only HttpProblem, and accepts nothing that JSON.parse rejects', () => {
    const json = anyJson.chain((value) => spelled(value)).map((one) => Buffer.from(one));
    const broken = fc
      .tuple(json, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }))
      .map(([body, changes]) => {
        for (const [at, value] of changes) if (body.length > 0) body[at % body.length] = value;
        return body;
      });
    const soup = fc.array(fc.constantFrom(...'{}[]",:\\u0019dDeE+-.tf nl'), { maxLength: 30 });
    const bodies = fc.oneof(
      broken,
      soup.map((letters) => Buffer.from(letters.join(''))),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        const original = Buffer.from(body);
        const strict = parsed(original);
        try {
          const { value, secrets } = scanJson(body, { secrets: [], maxDepth: 8 });
          expect(secrets).toEqual([]);
          expect({ json: value }).toEqual(strict);
        } catch (error) {
          if (!(error instanceof HttpProblem)) throw error;
          if (error.code === 'body_not_json') expect(strict).toBeNull();
        }
      }),
      { numRuns: 20_000 },
    );
  });

  test('the scanner blanks the password in the body', () => {
    const body = Buffer.from('{"password":"canary-\\u0041","identity":"alice"}');
    scanJson(body, limits);
    expect(body.toString()).toBe('{"password":"             ","identity":"alice"}');
  });

  test.each([
    ['{"password":"a"} x', 'body_not_json', 17],
    ['{"password":"a"', 'body_not_json', 15],
    ['{"password":"a', 'body_not_json', 14],
    ['{"password":"a\\"', 'body_not_json', 16],
    ['', 'body_not_json', 0],
    ['{password:"a"}', 'body_not_json', 1],
    ["{'password':'a'}", 'body_not_json', 1],
    ['{"password":"a",}', 'body_not_json', 16],
    ['{"password":"\\x41"}', 'body_not_json', 13],
    ['{"password":"\\u00g0"}', 'body_not_json', 13],
    ['{"password":"a\u0000b"}', 'body_not_json', 14],
    ['{"password":"a\nb"}', 'body_not_json', 14],
    ['{"a":01,"password":"a"}', 'body_not_json', 5],
    ['{"a":truefalse}', 'body_not_json', 5],
    ['{"password":"a\\u0000"}', 'unsupported_character', 14],
    ['{"password":"\\ud800"}', 'unsupported_character', 13],
    ['{"password":"\\udc00\\ud800"}', 'unsupported_character', 13],
    ['{"password":"\\ud83dx"}', 'unsupported_character', 13],
    ['{"identity":"\\u0000","password":"a"}', 'unsupported_character', 13],
    ['{"password":"a","password":"b"}', 'request_invalid', 16],
    ['{"password":"a","pass\\u0077ord":"b"}', 'request_invalid', 16],
    ['{"password":"a","x":{"y":1,"y":2}}', 'request_invalid', 27],
    ['{"__proto__":{"password":"a"}}', 'request_invalid', 1],
    ['{"x":[{"\\u005f_proto__":1}]}', 'request_invalid', 7],
    ['{"password":""}', 'request_invalid', '/password'],
    ['{"password":123}', 'request_invalid', '/password'],
    ['{"password":null}', 'request_invalid', '/password'],
    ['{"password":["a"]}', 'request_invalid', '/password'],
    ['{"currentPassword":{}}', 'request_invalid', '/currentPassword'],
    ['\ufeff{"password":"a"}', 'body_encoding', 0],
    ['[[[[[[[[[]]]]]]]]]', 'request_invalid', 8],
    ['{"a":[[[[[[[[]]]]]]]]}', 'request_invalid', 12],
  ])('the scanner rejects %j with the place of the mistake', (body, code, at) => {
    expect(refusal(body)).toEqual({ code, at });
  });

  test.each([
    [Buffer.from('{"password":"\u00e9"}', 'latin1'), 13],
    [Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22]), 2],
    [Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 1],
    [Buffer.from([0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]), 1],
    [Buffer.from([0x80]), 0],
  ])(
    'the scanner rejects bytes that are not UTF-8 (%#) with the place of the mistake',
    (body, at) => {
      expect(refusal(body)).toEqual({ code: 'body_encoding', at });
    },
  );

  test('the scanner accepts eight levels of nesting', () => {
    expect(read('{"a":[[[[[[[1]]]]]]]}')).toEqual({ a: [[[[[[[1]]]]]]] });
  });

  test('only members of the top-level object become secrets', () => {
    expect(read('{"password":"a","x":{"password":"b"}}')).toEqual({
      password: 'a',
      x: { password: 'b' },
    });
    expect(scan('{"password":"a","x":{"password":"b"}}').secrets).toHaveLength(1);
  });

  test('the scanner destroys the secrets of a body that it rejects', () => {
    const fill = jest.spyOn(Buffer.prototype, 'fill');
    expect(refusal('{"password":"canary","currentPassword":1}').code).toBe('request_invalid');
    const zeroed = fill.mock.contexts.filter((_, call) => fill.mock.calls[call]?.[0] === 0);
    expect(zeroed.some((buffer) => (buffer as Buffer).length === 'canary'.length)).toBe(true);
    fill.mockRestore();
  });
});

function parsed(body: Buffer): { json: unknown } | null {
  try {
    return {
      json: JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)),
    };
  } catch {
    return null;
  }
}
