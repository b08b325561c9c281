import dns from 'node:dns';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Connector } from '../../../connectors/contract';
import { apiOf } from '../../../connectors/http/api';
import type { HttpReply } from '../../../connectors/http/client';
import { noBody, SCIM_ERROR } from '../../../connectors/http/success';
import { connectorKinds } from '../../../connectors/registry';
import { Secret } from '../../../model/passwords/secret';
import { startProxy } from '../../support/proxy';
import { type ScimVendor, startScimVendor } from '../../support/vendors/scim';
import type { Answer, Mishap } from '../../support/vendors/vendor';
import type { Settings, TestAccount } from '../conformance/subject';
import { asking } from '../requests';
import { scimSubject } from '../scim-subject';
import { unique } from '../sql-admin';

/** How a connector over HTTPS reacts to a server that misbehaves. SCIM represents all of these kinds. */
let vendor: ScimVendor;
let elsewhere: ScimVendor;
const subject = scimSubject(() => vendor, 'path');
const opened: Connector[] = [];

beforeAll(async () => {
  vendor = await startScimVendor('path');
  elsewhere = await startScimVendor('path');
});
afterEach(() => expect(vendor.offences).toEqual([]));
afterAll(async () => {
  for (const connector of opened) await connector.close();
  await vendor.stop();
  await elsewhere.stop();
});

async function open(changes: Settings = {}): Promise<Connector> {
  const kind = connectorKinds.get('scim');
  if (kind === undefined) throw new Error('No scim');
  const settings = { ...subject.settings(vendor.address), ...changes };
  const resolve = (reference: string) => Secret.fromText(subject.secrets[reference] ?? '');
  const connector = await kind.open(settings, { resolve });
  opened.push(connector);
  return connector;
}

async function write(connector: Connector, account: TestAccount, text = unique('New')) {
  const answer = await connector.setPassword(asking(account.ref, Secret.fromText(text)));
  return { answer, written: await subject.logsIn(account, text) };
}

const respond =
  (status: number, headers: Record<string, string> = {}): Mishap =>
  (): Answer => ({ status, headers });
const afterDoing =
  (mishap: Mishap): Mishap =>
  (answer) => {
    answer();
    return mishap(answer);
  };
const HTML = { 'content-type': 'text/html; charset=utf-8' };
const inAMinute = () => new Date(Date.now() + 60_000).toUTCString();

const ambiguous = (vendorCode: string) => ({ result: 'ambiguous', vendorCode });
const retry = (reason: string, vendorCode: string) => ({ result: 'retry', reason, vendorCode });

interface Row {
  readonly what: string;
  readonly mishap: Mishap;
  readonly answer: object;
  readonly written: boolean;
  readonly settings?: Settings;
}

/** Short enough to wait for, and long enough for a machine that stops for a moment. */
const PATIENCE = { timeoutMs: 2_000 };

const rows: readonly Row[] = [
  {
    what: 'a 429 with seconds leads to retry after that time',
    mishap: respond(429, { 'retry-after': '7' }),
    answer: { ...retry('throttled', '429'), retryAfterMs: 7_000 },
    written: false,
  },
  {
    what: 'a 429 with a date leads to retry after that date',
    mishap: respond(429, { 'retry-after': inAMinute() }),
    answer: { ...retry('throttled', '429'), retryAfterMs: expect.any(Number) },
    written: false,
  },
  {
    what: 'a 503 with Retry-After means that nothing was done',
    mishap: respond(503, { 'retry-after': '2' }),
    answer: { ...retry('busy', '503'), retryAfterMs: 2_000 },
    written: false,
  },
  {
    what: 'a 503 without Retry-After leaves the write in doubt',
    mishap: afterDoing(respond(503)),
    answer: ambiguous('503'),
    written: true,
  },
  {
    what: 'a 500 before the write leaves it in doubt',
    mishap: respond(500),
    answer: ambiguous('500'),
    written: false,
  },
  {
    what: 'a 500 after the write leaves it in doubt',
    mishap: afterDoing(respond(500)),
    answer: ambiguous('500'),
    written: true,
  },
  {
    what: 'a 504 of a gateway leaves the write in doubt',
    mishap: afterDoing(respond(504)),
    answer: ambiguous('504'),
    written: true,
  },
  {
    what: 'a 202 leaves the write in doubt',
    mishap: respond(202),
    answer: ambiguous('202'),
    written: false,
  },
  {
    what: 'a connection that is cut before the reply leaves the write in doubt',
    mishap: afterDoing(() => 'cut'),
    answer: ambiguous('UND_ERR_SOCKET'),
    written: true,
  },
  {
    what: 'a reply that arrives byte by byte is abandoned and leaves the write in doubt',
    mishap: afterDoing(() => 'drip'),
    answer: ambiguous('timeout'),
    written: true,
    settings: PATIENCE,
  },
  {
    what: 'a reply without end is abandoned and leaves the write in doubt',
    mishap: afterDoing(() => 'flood'),
    answer: ambiguous('UND_ERR_RES_EXCEEDED_MAX_SIZE'),
    written: true,
  },
  {
    what: 'a 408 leads to retry with busy',
    mishap: respond(408),
    answer: retry('busy', '408'),
    written: false,
  },
  {
    what: 'a 409 leads to retry with account_in_use',
    mishap: respond(409),
    answer: retry('account_in_use', '409'),
    written: false,
  },
  {
    what: 'a 423 with a SCIM error leads to retry with account_locked',
    mishap: () => ({ status: 423, json: { schemas: [SCIM_ERROR], status: '423' } }),
    answer: retry('account_locked', '423'),
    written: false,
  },
  {
    what: 'a 423 without a SCIM error says nothing about the account',
    mishap: respond(423),
    answer: retry('unknown', '423'),
    written: false,
  },
  {
    what: 'a 401 that refuses the token by its header leads to service_credential_refused',
    mishap: respond(401, { 'www-authenticate': 'Bearer error="invalid_token"' }),
    answer: retry('service_credential_refused', '401'),
    written: false,
  },
  {
    what: 'a page that replaces the answer of the server leaves the write in doubt',
    mishap: afterDoing(() => ({ status: 404, headers: HTML, text: '<h1>404 Not Found</h1>' })),
    answer: ambiguous('foreign_404'),
    written: true,
  },
  {
    what: 'a 418, which no table contains, leads to retry with unknown',
    mishap: respond(418),
    answer: retry('unknown', '418'),
    written: false,
  },
];

test.each(rows)('$what', async ({ mishap, answer, written, settings }) => {
  const [connector, account] = [await open(settings), await subject.account()];
  vendor.goWrong(mishap);
  expect(await write(connector, account)).toEqual({
    answer: expect.objectContaining(answer),
    written,
  });
  // The next write is not affected.
  expect(await write(connector, account)).toMatchObject({ answer: { result: 'applied' } });
});

test.each([301, 302, 303, 307, 308])(
  'a redirect (%i) is not followed, and check reports it',
  async (status) => {
    const [connector, account] = [await open(), await subject.account()];
    const location = `https://localhost:${elsewhere.address.port}/scim/v2/Users`;
    vendor.goWrong(respond(status, { location }));
    expect(await write(connector, account)).toEqual({
      answer: { result: 'retry', reason: 'unknown', vendorCode: `redirect_${status}` },
      written: false,
    });
    vendor.goWrong(respond(status, { location }), 'any');
    expect(await connector.check()).toMatchObject([
      {
        check: 'connection',
        verdict: 'wrong',
        says: expect.stringContaining(`redirect_${status}`),
      },
    ]);
    expect(elsewhere.seen).toEqual([]);
  },
);

test('a read passes on the time that the server asks to wait', async () => {
  const connector = await open();
  vendor.goWrong(respond(429, { 'retry-after': '11' }), 'any');
  expect(await connector.list({ cursor: null, pageSize: 5 })).toEqual({
    result: 'failed',
    reason: 'throttled',
    vendorCode: '429',
    retryAfterMs: 11_000,
  });
});

test('a reply without the documented shape leads to unknown', async () => {
  const connector = await open();
  vendor.goWrong(() => ({ status: 200, json: '<html>' }), 'any');
  expect(await connector.list({ cursor: null, pageSize: 5 })).toMatchObject({
    reason: 'unknown',
    vendorCode: 'malformed',
  });
});

describe('addresses that are not public', () => {
  const REFUSED = { result: 'retry', reason: 'unreachable', vendorCode: 'private_address' };

  test.each([
    'localhost',
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
  ])('the connector refuses the host %s before it sends anything', async (host) => {
    const proxy = await startProxy(vendor.address);
    const url = `https://${host}:${proxy.address.port}/scim/v2`;
    const connector = await open({ url, allowPrivateAddresses: [] });
    expect(await write(connector, await subject.account())).toEqual({
      answer: REFUSED,
      written: false,
    });
    expect(await connector.check()).toMatchObject([
      { verdict: 'wrong', says: expect.stringContaining('allowPrivateAddresses') },
    ]);
    expect(proxy.accepted()).toBe(0);
    await proxy.stop();
  });

  test('the connector refuses a name that resolves to a private address for the connection (DNS rebinding)', async () => {
    const lookup = jest.spyOn(dns, 'lookup');
    const resolvesTo = (address: string) =>
      lookup.mockImplementation(((
        _name: string,
        _options: object,
        callback: (...found: unknown[]) => void,
      ) => callback(null, [{ address, family: 4 }])) as unknown as typeof dns.lookup);
    try {
      resolvesTo('127.0.0.1');
      const url = `https://rebound.example:${vendor.address.port}/scim/v2`;
      const changes = { url, serverName: 'localhost' };
      const account = await subject.account();
      const listed = await open({ ...changes, allowPrivateAddresses: ['rebound.example'] });
      expect(await write(listed, account)).toMatchObject({ written: true });
      const unlisted = await open({ ...changes, allowPrivateAddresses: ['other.example'] });
      expect(await write(unlisted, account)).toEqual({ answer: REFUSED, written: false });
    } finally {
      lookup.mockRestore();
    }
  });
});

test.each([
  ['a port without TLS', 'does not use TLS'],
  ['a ca file that is missing', 'does not exist'],
])('%s is not reported as a certificate that is not trusted', async (what, says) => {
  const plain = createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
  await once(plain, 'listening');
  const { port } = plain.address() as AddressInfo;
  const connector = await open(
    what.includes('port')
      ? { url: `https://localhost:${port}/scim/v2` }
      : { ca: '/nowhere/ca.crt' },
  );
  expect(await connector.check()).toEqual([
    { check: 'tls', verdict: 'wrong', says: expect.stringContaining(says) },
  ]);
  plain.close();
});

test('the bytes of the password are zeroed whether or not the request succeeds', async () => {
  const bodies: Buffer[] = [];
  const credential = { authorization: async () => 'Bearer x', refused: () => false, forget() {} };
  const content = {
    type: 'application/json',
    value: { password: Secret.fromText('to be zeroed') },
  };
  const success = { 204: noBody(null) };
  const request = { method: 'POST', path: '/', content, success } as const;
  for (const outcome of [{ status: 204, isEmpty: true } as HttpReply, new Error('lost')]) {
    const http = {
      async send({ body }: { body?: Buffer }) {
        expect(body?.toString()).toBe('{"password":"to be zeroed"}');
        if (body !== undefined) bodies.push(body);
        if (outcome instanceof Error) throw outcome;
        return outcome;
      },
      close() {},
    };
    const api = apiOf(http, credential, 'application/json', () => null);
    await api.ask(request, new AbortController().signal).catch(() => undefined);
  }
  expect(bodies).toHaveLength(2);
  for (const body of bodies) expect(body.every((byte) => byte === 0)).toBe(true);
});
