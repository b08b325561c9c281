import fc from 'fast-check';
import { guardOf } from '../../../connectors/http/addresses';
import { formBytes, jsonBytes } from '../../../connectors/http/body';
import { retryAfterMs } from '../../../connectors/http/retry-after';
import { Secret } from '../../../model/passwords/secret';

describe('addresses', () => {
  const guard = guardOf([]);

  test.each([
    ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '127.255.0.9', '169.254.169.254'],
    ...[
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
    ],
    ...['::', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', 'fc00::1', 'fd12:3456::1', 'fe80::1'],
    ...['ff02::1', '64:ff9b::10.0.0.1', '64:ff9b::a9fe:a9fe', '2002:7f00:1::', '2001:db8::1'],
  ])('the guard refuses %s, which is not public', (address) => {
    expect(guard('some.example', address)).toBe(false);
  });

  test.each(['1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '64:ff9b::1.1.1.1'])(
    'the guard allows %s, which is public',
    (address) => {
      expect(guard('some.example', address)).toBe(true);
    },
  );

  test('the guard allows listed networks, addresses and names, and no others', () => {
    const listed = guardOf(['10.1.0.0/16', 'fd00::5', 'Scim.corp.example']);
    expect(listed('a.example', '10.1.255.1')).toBe(true);
    expect(listed('a.example', '10.2.0.1')).toBe(false);
    expect(listed('a.example', 'fd00::5')).toBe(true);
    expect(listed('a.example', 'fd00::6')).toBe(false);
    expect(listed('scim.corp.example', '192.168.0.1')).toBe(true);
    expect(listed('scim.corp.example.evil', '192.168.0.1')).toBe(false);
  });
});

describe('bodies', () => {
  // Every code point except lone surrogates.
  const text = fc.string({ unit: 'binary' });

  test('JSON with a secret is the same as JSON.stringify of its text', () => {
    fc.assert(
      fc.property(text, text, (password, name) => {
        const bytes = jsonBytes({
          [name]: [{ op: 'replace', value: Secret.fromText(password) }, 1, null],
        });
        const same = { [name]: [{ op: 'replace', value: password }, 1, null] };
        expect(JSON.parse(bytes.toString())).toEqual(JSON.parse(JSON.stringify(same)));
      }),
    );
  });

  test('a form with a secret is parsed back to its text', () => {
    fc.assert(
      fc.property(text, text, (secret, id) => {
        const bytes = formBytes({ client_id: id, client_secret: Secret.fromText(secret) });
        expect(bytes.toString()).toMatch(/^[\x21-\x7e]*$/);
        const read = new URLSearchParams(bytes.toString());
        expect([read.get('client_id'), read.get('client_secret')]).toEqual([id, secret]);
      }),
    );
  });
});

describe('the time that a server asks Lockstep to wait', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  const waitFor = (headers: Record<string, string>, status = 429) =>
    retryAfterMs({ status, header: (name) => headers[name] ?? null }, now);

  test('the time of the rate limit reset is ignored unless the limit is reached', () => {
    expect(waitFor({ 'x-rate-limit-reset': String(now / 1000 + 42) }, 503)).toBeNull();
    expect(waitFor({ 'retry-after': '42' }, 503)).toBe(42_000);
  });

  test.each([
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['a date', { 'retry-after': 'Sun, 22 Nov 2026 12:01:30 GMT' }, 90_000],
    ['a date in the past', { 'retry-after': 'Sun, 22 Nov 2026 11:00:00 GMT' }, 0],
    ['the time of the rate limit reset', { 'x-rate-limit-reset': String(now / 1000 + 42) }, 42_000],
    [
      'both headers, of which Retry-After wins',
      { 'retry-after': '3', 'x-rate-limit-reset': '9' },
      3_000,
    ],
    ['nonsense', { 'retry-after': 'soon' }, null],
    ['a year, which is limited to a day', { 'retry-after': '31536000' }, 86_400_000],
    ['no header', {}, null],
  ])('the time is read from %s', (_what, headers, expected) => {
    expect(waitFor(headers)).toBe(expected);
  });
});
