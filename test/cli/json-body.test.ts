import fc from 'fast-check';
import { jsonBody } from '../../cli/password/json-body';
import { Secret } from '../../model/passwords/secret';

const parsed = (body: Secret): unknown => body.use((bytes) => JSON.parse(bytes.toString('utf8')));

test('whatever the password holds, the api reads it back byte for byte', () => {
  const text = fc.string({ unit: 'binary', maxLength: 256 });
  fc.assert(
    fc.property(text, text, (password, identity) => {
      const body = jsonBody({ identity, password: Secret.fromText(password) });
      expect(parsed(body)).toEqual({ identity, password });
    }),
  );
});

test('every ASCII character, quotes, emoji and 256 characters are read back', () => {
  const ascii = String.fromCharCode(...Array.from({ length: 128 }, (_, code) => code));
  for (const password of [ascii, '"\\"', '🔑👩‍👩‍👧', 'é'.repeat(256), '\u007f\u0080\u2028'])
    expect(parsed(jsonBody({ password: Secret.fromText(password) }))).toEqual({ password });
});

test('members that are not given are left out', () => {
  const body = { identity: undefined, account: { source: 's', name: '"' }, group: undefined };
  expect(parsed(jsonBody(body))).toEqual({ account: { source: 's', name: '"' } });
  expect(parsed(jsonBody({}))).toEqual({});
});

test('a destroyed body holds nothing of the password, nor does the memory behind it', () => {
  const body = jsonBody({ password: Secret.fromText('canary "with" escapes') });
  const whole = body.use(({ buffer }) => Buffer.from(buffer));
  expect(whole.toString('utf8')).toContain('canary');
  body.destroy();
  expect(whole.every((byte) => byte === 0)).toBe(true);
});

test('a password that is put where none belongs is refused, not sent', () => {
  expect(() => jsonBody({ account: { name: Secret.fromText('canary') } })).toThrow(TypeError);
});
