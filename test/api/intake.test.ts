import { once } from 'node:events';
import http from 'node:http';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

/** Part of every password that these tests send. It must not appear in any answer or log. */
const CANARY = 'canary-K7qX2v';

describeWith(['postgres'], 'the intake of passwords', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
  });
  afterAll(() => api.stop());

  const post = (body: unknown, headers: Record<string, string> = {}) =>
    api.send('POST', '/v1/changes', { body, headers });
  const bytes = (text: string) => Buffer.from(text);
  const accepted = async () => {
    const { rowCount } = await api.database.pool.query('select from change');
    return rowCount;
  };

  const json = (password: string) => `{"identity":"alice","password":"${password}"}`;

  test.each<[string, Buffer | object, Record<string, string>, object]>([
    ['not JSON', bytes(`{"password":"${CANARY}`), {}, { code: 'body_not_json', at: 26 }],
    ['text after the JSON', bytes(`${json(CANARY)}x`), {}, { code: 'body_not_json', at: 47 }],
    ['nothing', Buffer.alloc(0), {}, { code: 'body_not_json', at: 0 }],
    ['a list', bytes(`["${CANARY}"]`), {}, { code: 'request_invalid', at: '' }],
    ['a text', bytes(`"${CANARY}"`), {}, { code: 'request_invalid', at: '' }],
    ['no password', { identity: 'alice' }, {}, { code: 'request_invalid', at: '/password' }],
    ['an empty password', bytes(json('')), {}, { code: 'request_invalid', at: '/password' }],
    [
      'a password that is a number',
      { identity: 'alice', password: 123456789012345 },
      {},
      { code: 'request_invalid', at: '/password' },
    ],
    [
      'a password that is a list',
      { identity: 'alice', password: [CANARY] },
      {},
      { code: 'request_invalid', at: '/password' },
    ],
    [
      'a current password that is null',
      { identity: 'alice', password: CANARY, currentPassword: null },
      {},
      { code: 'request_invalid', at: '/currentPassword' },
    ],
    [
      'two passwords',
      bytes(`{"password":"${CANARY}","password":"${CANARY}"}`),
      {},
      { code: 'request_invalid', at: 28 },
    ],
    [
      'an unknown member',
      { identity: 'alice', password: CANARY, [CANARY]: CANARY },
      {},
      { code: 'request_invalid', at: '' },
    ],
    [
      '__proto__',
      bytes(`{"identity":"alice","password":"${CANARY}","__proto__":{"x":1}}`),
      {},
      {
        code: 'request_invalid',
        at: Buffer.byteLength(`{"identity":"alice","password":"${CANARY}",`),
      },
    ],
    ['no person', { password: CANARY }, {}, { code: 'request_invalid', at: '' }],
    [
      'two ways to name a person',
      { identity: 'alice', account: { source: 'directory', name: 'alice' }, password: CANARY },
      {},
      { code: 'request_invalid', at: '' },
    ],
    [
      'a number for a person',
      { identity: 1, password: CANARY },
      {},
      { code: 'request_invalid', at: '/identity' },
    ],
    [
      'half an account',
      { account: { source: 'directory' }, password: CANARY },
      {},
      { code: 'request_invalid', at: '/account/name' },
    ],
    [
      'too many levels',
      bytes(`{"password":"${CANARY}","x":${'['.repeat(9)}${']'.repeat(9)}}`),
      {},
      { code: 'request_invalid', at: 39 },
    ],
    [
      'NUL in a password',
      bytes(json(`${CANARY}\\u0000`)),
      {},
      { code: 'unsupported_character', at: 45 },
    ],
    [
      'half of a surrogate pair',
      bytes(json(`${CANARY}\\ud800`)),
      {},
      { code: 'unsupported_character', at: 45 },
    ],
    ['a line end in a text', bytes(json(`${CANARY}\n`)), {}, { code: 'body_not_json', at: 45 }],
    [
      'Latin-1',
      Buffer.from(json(`${CANARY}\u00e9`), 'latin1'),
      {},
      { code: 'body_encoding', at: 45 },
    ],
    ['a byte order mark', bytes(`\ufeff${json(CANARY)}`), {}, { code: 'body_encoding', at: 0 }],
    [
      'another charset',
      bytes(json(CANARY)),
      { 'content-type': 'application/json; charset=utf-16' },
      { code: 'body_encoding' },
    ],
    [
      'a form',
      bytes(`password=${CANARY}`),
      { 'content-type': 'application/x-www-form-urlencoded' },
      { code: 'body_encoding' },
    ],
    ['no content type', bytes(json(CANARY)), { 'content-type': '' }, { code: 'body_encoding' }],
    ['compression', bytes(json(CANARY)), { 'content-encoding': 'gzip' }, { code: 'body_encoding' }],
    ['more than 16 KiB', bytes(json(CANARY.repeat(1300))), {}, { code: 'body_too_large' }],
    [
      'an Idempotency-Key with spaces',
      bytes(json(CANARY)),
      { 'idempotency-key': 'a b' },
      { code: 'request_invalid' },
    ],
    [
      'an Idempotency-Key that is too long',
      bytes(json(CANARY)),
      { 'idempotency-key': 'k'.repeat(256) },
      { code: 'request_invalid' },
    ],
  ])(
    'a body with %s is rejected with the place of the mistake',
    async (_what, body, headers, problem) => {
      const before = await accepted();
      const reply = await post(body, headers);
      expect(reply.status).toBe(400);
      expect(reply.headers.get('content-type')).toBe('application/problem+json');
      expect(reply.headers.get('cache-control')).toBe('no-store');
      expect(reply.body).toMatchObject(problem);
      expect(reply.text).not.toContain(CANARY);
      expect(await accepted()).toBe(before);
    },
  );

  test('a chunked body of more than 16 KiB is rejected and the connection closed', async () => {
    const request = http.request(`${api.url}/v1/changes`, {
      method: 'POST',
      headers: { authorization: `Bearer ${api.adminKey()}`, 'content-type': 'application/json' },
    });
    const answered = once(request, 'response');
    request.write(CANARY.repeat(2000));
    const [reply] = await answered;
    expect(reply.statusCode).toBe(400);
    expect(reply.headers.connection).toBe('close');
    request.destroy();
  });

  test('a body that arrives in many chunks is accepted', async () => {
    const whole = Buffer.from(json('pässwörd-🔑-in-pieces'));
    const pieces = new ReadableStream({
      start(controller) {
        for (const byte of whole) controller.enqueue(Buffer.of(byte));
        controller.close();
      },
    });
    expect((await post(pieces)).status).toBe(202);
  });

  test.each([
    ['64 characters', 'long enough '.repeat(6).slice(0, 64)],
    ['spaces at both ends', '  correct horse battery  '],
    ['every kind of character', 'aä€🔑👨‍👩‍👧 "\\/%&<>\'\u0007\u200b'],
  ])('a password of %s is accepted', async (_what, password) => {
    expect((await post({ identity: 'alice', password })).status).toBe(202);
  });

  test('a client that disconnects in the middle of its body starts no change', async () => {
    const before = await accepted();
    const request = http.request(`${api.url}/v1/changes`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${api.adminKey()}`,
        'content-type': 'application/json',
        'content-length': '100',
      },
    });
    request.on('error', () => undefined);
    await new Promise((resolve) => request.write(`{"password":"${CANARY}`, resolve));
    request.destroy();
    await until(() => api.printed().includes('client disconnected'));
    expect(await accepted()).toBe(before);
  });

  test('no log line contains a rejected password', () => {
    expect(api.printed()).toContain('"route":"/v1/changes"');
    expect(api.printed()).not.toContain(CANARY);
    expect(api.printed()).not.toContain(Buffer.from(CANARY).toString('base64').slice(0, 12));
    expect(api.printed()).not.toContain(Buffer.from(CANARY).toString('hex'));
  });
});
