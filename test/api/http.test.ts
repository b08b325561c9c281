import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';

const PASSWORD = 'correct horse battery staple 12';

describeWith(['postgres'], 'HTTP', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
  });
  afterAll(() => api.stop());

  /** Sends bytes as they are. @returns the status, the headers and the body of the answer */
  async function raw(request: string) {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.write(request);
    const answer = await text(socket);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    return { status: Number(head.split(' ')[1]), head, body };
  }
  const withLines = (...lines: string[]) =>
    raw(['GET /v1/changes HTTP/1.1', ...lines, 'Connection: close', '', ''].join('\r\n'));

  test.each<[string, number, string, string[]]>([
    ['two Host lines', 400, 'request_malformed', ['Host: a', 'Host: b']],
    ['two equal Host lines', 400, 'request_malformed', ['Host: a', 'host: a']],
    ['no Host line', 400, 'request_malformed', []],
    ['a line that is no header', 400, 'request_malformed', ['Host: a', 'nonsense']],
    [
      'headers that are too large',
      431,
      'headers_too_large',
      ['Host: a', `X: ${'x'.repeat(20_000)}`],
    ],
  ])('a request with %s is answered with %d and a problem', async (_what, status, code, lines) => {
    const answer = await withLines(...lines);
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([status, { status, code }]);
    expect(answer.head.toLowerCase()).toContain('content-type: application/problem+json');
  });

  test('a connection that sends no request is closed with a problem after ten seconds', async () => {
    const answer = await raw('');
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([408, 'request_too_slow']);
  });

  const start = (headers: Record<string, string>) =>
    api.send('POST', '/v1/changes', {
      body: Buffer.from(JSON.stringify({ identity: 'alice', password: PASSWORD })),
      headers,
    });

  test.each([
    ['application/json', 202],
    ['application/json;charset=utf-8;v=1', 202],
    ['Application/JSON ; Charset="UTF-8"', 202],
    ['application/json; v="1"', 202],
    ['application/json; charset=utf-16', 400],
    ['application/json; v=1; charset=latin1', 400],
    ['application/jsonp', 400],
    ['text/plain', 400],
  ])('a body of the type %s is answered with %d', async (type, status) => {
    expect((await start({ 'content-type': type })).status).toBe(status);
  });

  test('a preferred wait that is too long is capped', async () => {
    const body = { identity: 'alice', password: PASSWORD };
    const stop = new AbortController();
    const waiting = fetch(`${api.url}/v1/changes`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${api.adminKey()}`,
        'content-type': 'application/json',
        prefer: 'wait=99999999999',
      },
      body: JSON.stringify(body),
      signal: AbortSignal.any([stop.signal, AbortSignal.timeout(1_500)]),
    });
    // An ignored preference would be answered at once.
    await expect(waiting).rejects.toThrow('timeout');
  });

  test('If-None-Match: * adds a person, and changes no person who exists', async () => {
    const put = (name: string) =>
      api.send('PUT', `/v1/identities/${name}`, {
        body: { attributes: { mail: 'new@example.com' } },
        headers: { 'if-none-match': '*' },
      });
    expect((await put('newcomer')).status).toBe(200);
    expect((await put('newcomer')).body).toMatchObject({
      status: 412,
      code: 'precondition_failed',
    });
    expect((await put('alice')).status).toBe(412);
    expect((await api.send('GET', '/v1/identities/alice')).text).not.toContain('new@example.com');
  });
});
