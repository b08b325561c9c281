import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import type { Connector } from '../../connectors/contract';
import { webhook } from '../../connectors/webhook/kind';
import { signatureHeaders } from '../../connectors/webhook/sign';
import { Secret } from '../../model/passwords/secret';
import { type Receiver, startReceiver } from '../support/receiver';
import type { Mishap } from '../support/vendors/vendor';
import type { Settings, TestAccount } from './conformance/subject';
import { asking } from './requests';
import { unique } from './sql-admin';
import { webhookSubject } from './webhook-subject';

/** Promises of this kind that the contract does not require of every kind. */
let receiver: Receiver;
const opened: Connector[] = [];
const subject = webhookSubject(
  () => receiver,
  '',
  () => ({ recipientKey: receiver.keyFiles.x25519, ids: 'lasting' }),
  true,
);
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(async () => {
  for (const connector of opened) await connector.close();
  await receiver.stop();
});

async function open(changes: Settings = {}): Promise<Connector> {
  const settings = { ...subject.settings(receiver.address), ...changes };
  const resolve = (reference: string) => Secret.fromText(subject.secrets[reference] ?? '');
  const connector = await webhook.open(webhook.settings.parse(settings), { resolve });
  opened.push(connector);
  return connector;
}

async function write(connector: Connector, account: TestAccount, text = unique('New')) {
  const password = Secret.fromText(text);
  const answer = await connector.setPassword(asking(account.ref, password));
  return { answer, written: await subject.logsIn(account, text) };
}

describe('the requests of a webhook', () => {
  test.each(['ec', 'x25519', 'rsa'] as const)(
    'a request that is sealed to a key (%s) shows neither the password nor the account',
    async (key) => {
      const account = await subject.account();
      const password = unique('Unreadable');
      const connector = await open({ recipientKey: receiver.keyFiles[key] });
      expect(await write(connector, account, password)).toMatchObject({ written: true });
      const { headers, body } = receiver.requests.at(-1) ?? { headers: {}, body: Buffer.alloc(0) };
      expect(headers['content-type']).toBe('application/jose');
      expect(headers['user-agent']).toMatch(/^Lockstep\/\d/);
      const text = body.toString();
      const [header = ''] = text.split('.');
      expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({
        alg: key === 'rsa' ? 'RSA-OAEP-256' : 'ECDH-ES',
        enc: 'A256GCM',
        kid: key === 'x25519' ? 'of-the-receiver' : expect.stringMatching(/^[\w-]{43}$/),
      });
      for (const value of [password, account.ref.name])
        expect(text).not.toContain(Buffer.from(value).toString('base64url').slice(0, -2));
    },
  );

  test('a request with clearInsideTls is the JSON that a program gets too', async () => {
    const { recipientKey: _, ...rest } = subject.settings(receiver.address);
    const account = await subject.account();
    const connector = await open({ ...rest, recipientKey: undefined, clearInsideTls: true });
    await write(connector, account, 'Clear inside TLS');
    expect(JSON.parse(receiver.requests.at(-1)?.body.toString() ?? '')).toEqual({
      ...{ version: 1, operation: 'setPassword' },
      account: account.ref,
      password: 'Clear inside TLS',
    });
  });

  test('the signature equals the published example of the specification', () => {
    const secret = Secret.fromText('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    const body = Buffer.from('{"test": 2432232314}');
    const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
    expect(signatureHeaders(body, [secret], id, 1_614_265_330_999)).toEqual({
      'webhook-id': id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  test('every request has its own id, so that a receiver can reject a repeated or changed one', async () => {
    const connector = await open();
    await write(connector, await subject.account());
    const { headers, body } = receiver.requests.at(-1) ?? { headers: {}, body: Buffer.alloc(0) };
    const ids = receiver.requests.map((request) => request.headers['webhook-id']);
    expect(new Set(ids).size).toBe(ids.length);
    await replay(headers, body);
    expect(receiver.refused.at(-1)).toBe('replay');
    await replay({ ...headers, 'webhook-timestamp': '1' }, body);
    expect(receiver.refused.at(-1)).toBe('signature');
    await replay(headers, Buffer.from('other'));
    expect(receiver.refused.at(-1)).toBe('signature');
  });
});

/** Sends a recorded request again, as an attacker would. */
async function replay(headers: IncomingHttpHeaders, body: Buffer): Promise<void> {
  const { address, caFile } = receiver;
  const request = https.request({
    ...address,
    method: 'POST',
    path: '/lockstep/',
    ca: readFileSync(caFile),
    servername: 'localhost',
    headers: { ...headers, 'content-length': body.length },
  });
  request.end(body);
  const [response] = await once(request, 'response');
  response.resume();
}

const respond =
  (status: number, headers: Record<string, string> = {}): Mishap =>
  () => ({ status, headers });
const afterDoing =
  (mishap: Mishap): Mishap =>
  (answer) => {
    answer();
    return mishap(answer);
  };

const ambiguous = (vendorCode: string) => ({ result: 'ambiguous', vendorCode });
const retry = (reason: string, vendorCode: string) => ({ result: 'retry', reason, vendorCode });

const TIMEOUT = ambiguous('timeout');

const rows: readonly [string, Mishap, object, boolean][] = [
  [
    'a 429 leads to retry after the requested time',
    respond(429, { 'retry-after': '7' }),
    { ...retry('throttled', '429'), retryAfterMs: 7_000 },
    false,
  ],
  [
    'a 503 with Retry-After means that nothing was done',
    respond(503, { 'retry-after': '2' }),
    { ...retry('busy', '503'), retryAfterMs: 2_000 },
    false,
  ],
  [
    'a 503 without Retry-After leaves the write in doubt',
    afterDoing(respond(503)),
    ambiguous('503'),
    true,
  ],
  ['a 500 before the write leaves it in doubt', respond(500), ambiguous('500'), false],
  ['a 500 after the write leaves it in doubt', afterDoing(respond(500)), ambiguous('500'), true],
  ['a 204 leaves the write in doubt', afterDoing(respond(204)), ambiguous('204'), true],
  [
    'a 200 without JSON leaves the write in doubt',
    afterDoing(respond(200)),
    ambiguous('not_an_answer'),
    true,
  ],
  [
    'a 200 whose media type is not JSON leaves the write in doubt',
    afterDoing(() => ({
      status: 200,
      headers: { 'content-type': 'text/plain' },
      json: { result: 'applied' },
    })),
    ambiguous('not_json'),
    true,
  ],
  [
    'a 200 with other JSON leaves the write in doubt',
    afterDoing(() => ({ status: 200, json: { ok: true } })),
    ambiguous('not_an_answer'),
    true,
  ],
  [
    'a connection that is cut before the reply leaves the write in doubt',
    afterDoing(() => 'cut'),
    ambiguous('UND_ERR_SOCKET'),
    true,
  ],
  [
    'a reply that arrives byte by byte leaves the write in doubt',
    afterDoing(() => 'drip'),
    TIMEOUT,
    true,
  ],
  [
    'a reply without end leaves the write in doubt',
    afterDoing(() => 'flood'),
    ambiguous('UND_ERR_RES_EXCEEDED_MAX_SIZE'),
    true,
  ],
  [
    'a 404 leads to retry, because it says nothing about the account',
    respond(404),
    retry('unknown', '404'),
    false,
  ],
  [
    'a 403 leads to retry with service_credential_refused',
    respond(403),
    retry('service_credential_refused', '403'),
    false,
  ],
  [
    'a redirect is not followed',
    respond(307, { location: 'https://elsewhere.example/' }),
    retry('unknown', 'redirect_307'),
    false,
  ],
];

test.each(rows)('%s', async (_, mishap, answer, written) => {
  // Short enough to wait for, and long enough for a machine that stops for a moment.
  const patience = answer === TIMEOUT ? { timeoutMs: 2_000 } : {};
  const [connector, account] = [await open(patience), await subject.account()];
  receiver.goWrong(mishap);
  expect(await write(connector, account)).toEqual({ answer, written });
  // The next write is not affected.
  expect(await write(connector, account)).toMatchObject({ answer: { result: 'applied' } });
});

describe('the key of the receiver', () => {
  test.each([
    ['a private key', () => receiver.keyFiles.private, 'key_is_private'],
    ['no file', () => '/nowhere/key.pem', 'key_not_readable'],
    ['no key', () => receiver.caFile.replace('ca.crt', 'short'), 'key_not_supported'],
  ])(
    'nothing is sent if recipientKey names %s, and check reports it',
    async (_, file, vendorCode) => {
      writeFileSync(receiver.caFile.replace('ca.crt', 'short'), 'no key');
      const [connector, before] = [await open({ recipientKey: file() }), receiver.requests.length];
      const { answer, written } = await write(connector, await subject.account());
      expect(answer).toEqual(retry('unreachable', vendorCode));
      expect(written).toBe(false);
      expect(receiver.requests.length).toBe(before);
      expect(await connector.check()).toMatchObject([{ check: 'recipient-key', verdict: 'wrong' }]);
    },
  );

  test('a replaced key of the receiver is used for the next request', async () => {
    const file = receiver.caFile.replace('ca.crt', 'current');
    writeFileSync(file, 'no key');
    const [connector, account] = [await open({ recipientKey: file }), await subject.account()];
    expect(await write(connector, account)).toMatchObject({ written: false });
    writeFileSync(file, readFileSync(receiver.keyFiles.rsa));
    expect(await write(connector, account)).toMatchObject({ written: true });
  });
});

describe('settings', () => {
  const accepts = (changes: Settings) =>
    webhook.settings.safeParse({ ...subject.settings(receiver.address), ...changes }).success;

  test.each([
    ['neither recipientKey nor clearInsideTls', { recipientKey: undefined }, false],
    ['both recipientKey and clearInsideTls', { clearInsideTls: true }, false],
    ['neither signingSecret nor token', { signingSecret: undefined, token: undefined }, false],
    ['only a token', { signingSecret: undefined }, true],
    ['only a signingSecret', { token: undefined }, true],
    ['a secret in the address', { url: 'https://hub.example/?key=x' }, false],
  ])('the settings with %s are valid only if they are safe', (_, changes, accepted) => {
    expect(accepts(changes)).toBe(accepted);
  });
});
