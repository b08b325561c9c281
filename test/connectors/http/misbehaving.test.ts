import dns from 'node:dns';
import type { Connector } from '../../../connectors/contract';
import { apiOf } from '../../../connectors/http/api';
import type { HttpReply } from '../../../connectors/http/client';
import { connectorKinds } from '../../../connectors/registry';
import { Secret } from '../../../model/passwords/secret';
import { startProxy } from '../../support/proxy';
import { type ScimVendor, startScimVendor } from '../../support/vendors/scim';
import type { Answer, Mishap } from '../../support/vendors/vendor';
import type { Settings, TestAccount } from '../conformance/subject';
import { asking } from '../requests';
import { scimSubject } from '../scim-subject';
import { unique } from '../sql-admin';

/** What every connector over HTTPS makes of a server that goes wrong; SCIM stands for all of them. */
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
  const settings = { ...subject.settings(vendor.address), ...subject.hasty, ...changes };
  const resolve = (reference: string) => Secret.fromText(subject.secrets[reference] ?? '');
  const connector = await kind.open(settings, { resolve });
  opened.push(connector);
  return connector;
}

async function write(connector: Connector, account: TestAccount, text = unique('New')) {
  const answer = await connector.setPassword(asking(account.ref, Secret.fromText(text)));
  return { answer, written: await subject.logsIn(account, text) };
}

const says =
  (status: number, headers: Record<string, string> = {}): Mishap =>
  (): Answer => ({ status, headers });
const butDoesIt =
  (mishap: Mishap): Mishap =>
  (answer) => {
    answer();
    return mishap(answer);
  };
const inAMinute = () => new Date(Date.now() + 60_000).toUTCString();

const ambiguous = (vendorCode: string) => ({ result: 'ambiguous', vendorCode });
const retry = (reason: string, vendorCode: string) => ({ result: 'retry', reason, vendorCode });

interface Row {
  readonly what: string;
  readonly mishap: Mishap;
  readonly answer: object;
  readonly written: boolean;
}

const rows: readonly Row[] = [
  {
    what: '429 with seconds: waits as long',
    mishap: says(429, { 'retry-after': '7' }),
    answer: { ...retry('throttled', '429'), retryAfterMs: 7_000 },
    written: false,
  },
  {
    what: '429 with a date: waits until then',
    mishap: says(429, { 'retry-after': inAMinute() }),
    answer: { ...retry('throttled', '429'), retryAfterMs: expect.any(Number) },
    written: false,
  },
  {
    what: '503 that says when: was not done',
    mishap: says(503, { 'retry-after': '2' }),
    answer: { ...retry('busy', '503'), retryAfterMs: 2_000 },
    written: false,
  },
  {
    what: '503 that does not say when: in doubt',
    mishap: butDoesIt(says(503)),
    answer: ambiguous('503'),
    written: true,
  },
  {
    what: '500 before the write: in doubt',
    mishap: says(500),
    answer: ambiguous('500'),
    written: false,
  },
  {
    what: '500 after the write: in doubt',
    mishap: butDoesIt(says(500)),
    answer: ambiguous('500'),
    written: true,
  },
  {
    what: '504 of a gateway: in doubt',
    mishap: butDoesIt(says(504)),
    answer: ambiguous('504'),
    written: true,
  },
  {
    what: '202, which promises nothing: in doubt',
    mishap: says(202),
    answer: ambiguous('202'),
    written: false,
  },
  {
    what: 'a cut in place of the reply: in doubt',
    mishap: butDoesIt(() => 'cut'),
    answer: ambiguous('UND_ERR_SOCKET'),
    written: true,
  },
  {
    what: 'a reply that comes byte by byte is cut off: in doubt',
    mishap: butDoesIt(() => 'drip'),
    answer: ambiguous('timeout'),
    written: true,
  },
  {
    what: 'a reply without end is cut off: in doubt',
    mishap: butDoesIt(() => 'flood'),
    answer: ambiguous('UND_ERR_RES_EXCEEDED_MAX_SIZE'),
    written: true,
  },
  { what: '408', mishap: says(408), answer: retry('busy', '408'), written: false },
  { what: '409', mishap: says(409), answer: retry('account_in_use', '409'), written: false },
  { what: '423', mishap: says(423), answer: retry('account_locked', '423'), written: false },
  {
    what: '418, which nobody knows',
    mishap: says(418),
    answer: retry('unknown', '418'),
    written: false,
  },
];

test.each(rows)('$what', async ({ mishap, answer, written }) => {
  const [connector, account] = [await open(), await subject.account()];
  vendor.goWrong(mishap);
  const start = performance.now();
  expect(await write(connector, account)).toEqual({
    answer: expect.objectContaining(answer),
    written,
  });
  // Half a second is what the settings give it.
  expect(performance.now() - start).toBeLessThan(5_000);
  // And the next one is as if nothing had been.
  expect(await write(connector, account)).toMatchObject({ answer: { result: 'applied' } });
});

test.each([301, 302, 303, 307, 308])(
  'a redirect (%i) is not followed, and named',
  async (status) => {
    const [connector, account] = [await open(), await subject.account()];
    const location = `https://localhost:${elsewhere.address.port}/scim/v2/Users`;
    vendor.goWrong(says(status, { location }));
    expect(await write(connector, account)).toEqual({
      answer: { result: 'retry', reason: 'unknown', vendorCode: `redirect_${status}` },
      written: false,
    });
    vendor.goWrong(says(status, { location }), 'any');
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

test('what a reading call is told to wait is passed on', async () => {
  const connector = await open();
  vendor.goWrong(says(429, { 'retry-after': '11' }), 'any');
  expect(await connector.list({ cursor: null, pageSize: 5 })).toEqual({
    result: 'failed',
    reason: 'throttled',
    vendorCode: '429',
    retryAfterMs: 11_000,
  });
});

test('a reply that is not what the vendor publishes: unknown', async () => {
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
  ])('%s is refused before anything is sent', async (host) => {
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

  test('a name that led to a public address a moment ago leads nowhere now (DNS rebinding)', async () => {
    const lookup = jest.spyOn(dns, 'lookup');
    const leadsTo = (address: string) =>
      lookup.mockImplementation(((
        _name: string,
        _options: object,
        callback: (...found: unknown[]) => void,
      ) => callback(null, [{ address, family: 4 }])) as unknown as typeof dns.lookup);
    try {
      leadsTo('127.0.0.1');
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

test('the bytes of the password are zeroed, whatever became of the request', async () => {
  const bodies: Buffer[] = [];
  const credential = { authorization: async () => 'Bearer x', refused: () => false, forget() {} };
  const content = {
    type: 'application/json',
    value: { password: Secret.fromText('to be zeroed') },
  };
  const request = { method: 'POST', path: '/', content } as const;
  for (const outcome of [{ status: 200 } as HttpReply, new Error('lost')]) {
    const http = {
      async send({ body }: { body?: Buffer }) {
        expect(body?.toString()).toBe('{"password":"to be zeroed"}');
        if (body !== undefined) bodies.push(body);
        if (outcome instanceof Error) throw outcome;
        return outcome;
      },
      close() {},
    };
    const api = apiOf(http, credential, 'application/json');
    await api.ask(request, AbortSignal.timeout(1000)).catch(() => undefined);
  }
  expect(bodies).toHaveLength(2);
  for (const body of bodies) expect(body.every((byte) => byte === 0)).toBe(true);
});
