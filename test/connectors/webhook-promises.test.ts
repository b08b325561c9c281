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

/** What the contract does not ask of every kind. */
let receiver: Receiver;
const opened: Connector[] = [];
const subject = webhookSubject(
  () => receiver,
  '',
  () => ({ recipientKey: receiver.keyFiles.x25519 }),
);
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(async () => {
  for (const connector of opened) await connector.close();
  await receiver.stop();
});

async function open(changes: Settings = {}): Promise<Connector> {
  const settings = { ...subject.settings(receiver.address), ...subject.hasty, ...changes };
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

describe('what goes over the line', () => {
  test.each(['ec', 'x25519', 'rsa'] as const)(
    'sealed to a key (%s): neither the password nor whose it is can be read',
    async (key) => {
      const account = await subject.account();
      const password = unique('Unreadable');
      const connector = await open({ recipientKey: receiver.keyFiles[key] });
      expect(await write(connector, account, password)).toMatchObject({ written: true });
      const { headers, body } = receiver.requests.at(-1) ?? { headers: {}, body: Buffer.alloc(0) };
      expect(headers['content-type']).toBe('application/jose');
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

  test('clear inside TLS: the same JSON as a program gets', async () => {
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

  test('the signature is that of the specification, by its published example', () => {
    const secret = Secret.fromText('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    const body = Buffer.from('{"test": 2432232314}');
    const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
    expect(signatureHeaders(body, secret, id, 1_614_265_330_999)).toEqual({
      'webhook-id': id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  test('every request has an id of its own, and a receiver that sees one twice refuses it', async () => {
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

/** Somebody who has recorded a request sends it again. */
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

const says =
  (status: number, headers: Record<string, string> = {}): Mishap =>
  () => ({ status, headers });
const butDoesIt =
  (mishap: Mishap): Mishap =>
  (answer) => {
    answer();
    return mishap(answer);
  };

const ambiguous = (vendorCode: string) => ({ result: 'ambiguous', vendorCode });
const retry = (reason: string, vendorCode: string) => ({ result: 'retry', reason, vendorCode });

const rows: readonly [string, Mishap, object, boolean][] = [
  [
    '429: waits as long as it is told',
    says(429, { 'retry-after': '7' }),
    { ...retry('throttled', '429'), retryAfterMs: 7_000 },
    false,
  ],
  [
    '503 that says when: was not done',
    says(503, { 'retry-after': '2' }),
    { ...retry('busy', '503'), retryAfterMs: 2_000 },
    false,
  ],
  ['503 that does not: in doubt', butDoesIt(says(503)), ambiguous('503'), true],
  ['500 before the write: in doubt', says(500), ambiguous('500'), false],
  ['500 after the write: in doubt', butDoesIt(says(500)), ambiguous('500'), true],
  ['204, which is no answer: in doubt', butDoesIt(says(204)), ambiguous('204'), true],
  ['200 without JSON: in doubt', butDoesIt(says(200)), ambiguous('not_an_answer'), true],
  [
    '200 with something else: in doubt',
    butDoesIt(() => ({ status: 200, json: { ok: true } })),
    ambiguous('not_an_answer'),
    true,
  ],
  ['a cut in place of the reply', butDoesIt(() => 'cut'), ambiguous('UND_ERR_SOCKET'), true],
  ['a reply byte by byte', butDoesIt(() => 'drip'), ambiguous('timeout'), true],
  [
    'a reply without end',
    butDoesIt(() => 'flood'),
    ambiguous('UND_ERR_RES_EXCEEDED_MAX_SIZE'),
    true,
  ],
  [
    '404: nobody is there, which says nothing of the account',
    says(404),
    retry('unknown', '404'),
    false,
  ],
  ['403: Lockstep is not known', says(403), retry('service_credential_refused', '403'), false],
  [
    'a redirect is not followed',
    says(307, { location: 'https://elsewhere.example/' }),
    retry('unknown', 'redirect_307'),
    false,
  ],
];

test.each(rows)('%s', async (_, mishap, answer, written) => {
  const [connector, account] = [await open(), await subject.account()];
  receiver.goWrong(mishap);
  expect(await write(connector, account)).toEqual({ answer, written });
  // And the next one is as if nothing had been.
  expect(await write(connector, account)).toMatchObject({ answer: { result: 'applied' } });
});

describe('what is refused before anything is sent', () => {
  test.each([
    ['a private key in place of the public one', () => receiver.keyFiles.private, 'key_is_private'],
    ['a key that is not there', () => '/nowhere/key.pem', 'key_not_readable'],
    [
      'something that is no key',
      () => receiver.caFile.replace('ca.crt', 'short'),
      'key_not_supported',
    ],
  ])('%s', async (_, file, vendorCode) => {
    writeFileSync(receiver.caFile.replace('ca.crt', 'short'), 'no key');
    const [connector, before] = [await open({ recipientKey: file() }), receiver.requests.length];
    const { answer, written } = await write(connector, await subject.account());
    expect(answer).toEqual(retry('unreachable', vendorCode));
    expect(written).toBe(false);
    expect(receiver.requests.length).toBe(before);
    expect(await connector.check()).toMatchObject([{ check: 'recipient-key', verdict: 'wrong' }]);
  });

  test('a key of the receiver that is replaced is taken with the next request', async () => {
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
    ['neither a key nor the word that TLS is enough', { recipientKey: undefined }, false],
    ['both', { clearInsideTls: true }, false],
    [
      'nothing by which the receiver knows us',
      { signingSecret: undefined, token: undefined },
      false,
    ],
    ['a token alone', { signingSecret: undefined }, true],
    ['a signature alone', { token: undefined }, true],
    ['a secret in the address', { url: 'https://hub.example/?key=x' }, false],
  ])('%s', (_, changes, accepted) => {
    expect(accepts(changes)).toBe(accepted);
  });
});
