import fc from 'fast-check';
import { jsonBody } from '../../../model/passwords/json-body';
import { Secret } from '../../../model/passwords/secret';

const parsed = (body: Secret): unknown => body.use((bytes) => JSON.parse(bytes.toString('utf8')));

test('a JSON body contains every password byte for byte', () => {
  const text = fc.string({ unit: 'binary', maxLength: 256 });
  fc.assert(
    fc.property(text, text, (password, identity) => {
      const body = jsonBody({ identity, password: Secret.fromText(password) });
      expect(parsed(body)).toEqual({ identity, password });
    }),
  );
});

test('a JSON body contains ASCII, quotes, emoji and 256 characters unchanged', () => {
  const ascii = String.fromCharCode(...Array.from({ length: 128 }, (_, code) => code));
  for (const password of [ascii, '"\\"', '🔑👩‍👩‍👧', 'é'.repeat(256), '\u007f\u0080\u2028'])
    expect(parsed(jsonBody({ password: Secret.fromText(password) }))).toEqual({ password });
});

test('a JSON body leaves out undefined members', () => {
  const body = { identity: undefined, account: { source: 's', name: '"' }, group: undefined };
  expect(parsed(jsonBody(body))).toEqual({ account: { source: 's', name: '"' } });
  expect(parsed(jsonBody({}))).toEqual({});
});

test('destroying a JSON body zeroes the whole memory behind it', () => {
  const body = jsonBody({ password: Secret.fromText('canary "with" escapes') });
  const whole = body.use(({ buffer }) => Buffer.from(buffer));
  expect(whole.toString('utf8')).toContain('canary');
  body.destroy();
  expect(whole.every((byte) => byte === 0)).toBe(true);
});

test('a JSON body refuses a secret inside a nested member', () => {
  expect(() => jsonBody({ account: { name: Secret.fromText('canary') } })).toThrow(TypeError);
});
