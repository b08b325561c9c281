import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { generate } from 'selfsigned';
import { environment } from '../../config';
import { certificatesIn } from '../../local/certificates';
import { type EngineLogin, engineLogin } from '../../worker/changes/engine-login';
import { prepareNamespace, problemOf } from '../../worker/changes/namespace';
import { missingSearchAttributes } from '../../worker/changes/search-attributes';
import { connectEngine } from '../../worker/changes/temporal';
import { describeWith, server } from '../support/servers';

type Settings = Parameters<typeof engineLogin>[0];

const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-engine-'));
const write = (name: string, content: string) => {
  const file = path.join(dir, name);
  writeFileSync(file, content);
  return file;
};
const none = Object.fromEntries(
  Object.keys(environment)
    .filter((name) => name.startsWith('TEMPORAL_'))
    .map((name) => [name, undefined]),
) as Settings;

describe('the settings of the connection to Temporal', () => {
  test('the connection is encrypted when a setting needs it, and in clear otherwise', () => {
    const key = write('key', 'abc.def\n');
    expect(engineLogin(none).tls).toBe(false);
    expect(engineLogin({ ...none, TEMPORAL_TLS: true }).tls).toEqual({});
    expect(engineLogin({ ...none, TEMPORAL_TLS_SERVER_NAME: 'engine.example' }).tls).toEqual({
      serverNameOverride: 'engine.example',
    });
    const login = engineLogin({ ...none, TEMPORAL_API_KEY_FILE: key });
    expect([login.tls, login.apiKey()]).toEqual([{}, 'abc.def']);
  });

  test.each<[string, Partial<Settings>, RegExp]>([
    [
      'a missing file',
      { TEMPORAL_API_KEY_FILE: '/nowhere' },
      /^TEMPORAL_API_KEY_FILE: \/nowhere .*ENOENT/,
    ],
    ['an empty API key', { TEMPORAL_API_KEY_FILE: write('empty', '\n') }, /must hold one line/],
    [
      'an API key of two lines',
      { TEMPORAL_API_KEY_FILE: write('two', 'a\nb') },
      /must hold one line/,
    ],
    [
      'a file without a certificate',
      { TEMPORAL_TLS_SERVER_CA_CERT_PATH: write('no-ca', 'x') },
      /SERVER_CA_CERT_PATH: .*no-ca/,
    ],
    ['a certificate without a key', { TEMPORAL_TLS_CLIENT_CERT_PATH: '/c' }, /Set both/],
    [
      'a name without TLS',
      { TEMPORAL_TLS: false, TEMPORAL_TLS_SERVER_NAME: 'x' },
      /TEMPORAL_TLS is off/,
    ],
  ])('%s is refused with the name of the variable', (_what, settings, says) => {
    expect(() => engineLogin({ ...none, ...settings })).toThrow(says);
  });
});

/** What a Temporal behind TLS does: it ends TLS, and demands a client certificate or an API key. */
describeWith(['temporal'], 'a Temporal that expects TLS', () => {
  let ca: string;
  let stranger: string;
  let own: { readonly certFile: string; readonly keyFile: string };
  let client: { readonly cert: string; readonly key: string };
  const stops: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    own = await certificatesIn(path.join(dir, 'tls'));
    ca = path.join(dir, 'tls', 'ca.crt');
    stranger = (await certificatesIn(path.join(dir, 'stranger'))).caFile;
    const made = await generate([{ name: 'commonName', value: 'worker' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [{ name: 'extKeyUsage', clientAuth: true }],
    });
    client = { cert: write('client.crt', made.cert), key: write('client.key', made.private) };
  });
  afterAll(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  async function frontend(demands: {
    readonly apiKey?: () => string;
    readonly certificate?: true;
  }) {
    const upstream = http2.connect(`http://${server('temporal').address}`);
    const proxy = http2.createSecureServer({
      key: readFileSync(own.keyFile),
      cert: readFileSync(own.certFile),
      ca: readFileSync(client.cert),
      ...(demands.certificate ? { requestCert: true, rejectUnauthorized: true } : {}),
    });
    proxy.on('stream', (stream, headers) => {
      if (demands.apiKey && headers.authorization !== `Bearer ${demands.apiKey()}`) {
        stream.respond(
          {
            ':status': 200,
            'content-type': 'application/grpc',
            'grpc-status': '16',
            'grpc-message': 'who',
          },
          { endStream: true },
        );
        return;
      }
      const request = upstream.request(headers);
      let trailers: http2.IncomingHttpHeaders = {};
      request.on('response', (answer) => stream.respond(answer, { waitForTrailers: true }));
      request.on('trailers', (last) => {
        trailers = last;
      });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      stream.pipe(request).pipe(stream);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    stops.push(
      () =>
        new Promise<void>((resolve) => {
          upstream.destroy();
          proxy.close(() => resolve());
        }),
    );
    return `localhost:${(proxy.address() as AddressInfo).port}`;
  }

  /** Connects and prepares the namespace once. @returns null, or the problem */
  async function look(
    address: string,
    login: EngineLogin,
    namespace = server('temporal').namespace ?? '',
  ) {
    const stopping = new AbortController();
    let problem: string | null = null;
    const connection = await connectEngine(address, login, stopping.signal, (error) => {
      problem = problemOf(error);
      stopping.abort();
    });
    if (connection === null) return problem;
    try {
      const state = await prepareNamespace(
        new Client({ connection, namespace }),
        connection,
        namespace,
      );
      return state.problem;
    } finally {
      await connection.close();
    }
  }

  const trusting = (more: Partial<Settings> = {}) =>
    engineLogin({ ...none, TEMPORAL_TLS_SERVER_CA_CERT_PATH: ca, ...more });

  test('a worker that trusts the authority connects, and one that does not names the certificate', async () => {
    const address = await frontend({});
    await expect(look(address, trusting())).resolves.toBeNull();
    const login = engineLogin({ ...none, TEMPORAL_TLS_SERVER_CA_CERT_PATH: stranger });
    await expect(look(address, login)).resolves.toBe('certificate');
    const otherName = trusting({ TEMPORAL_TLS_SERVER_NAME: 'other.example' });
    await expect(look(address, otherName)).resolves.toBe('certificate');
    await expect(look(address, engineLogin(none))).resolves.toBe('unreachable');
  });

  test('a client certificate that Temporal demands is presented', async () => {
    const address = await frontend({ certificate: true });
    const withCertificate = trusting({
      TEMPORAL_TLS_CLIENT_CERT_PATH: client.cert,
      TEMPORAL_TLS_CLIENT_KEY_PATH: client.key,
    });
    await expect(look(address, withCertificate)).resolves.toBeNull();
    // Temporal may end the connection before its alert arrives.
    expect(['refused', 'unreachable']).toContain(await look(address, trusting()));
  });

  test('an API key that Temporal demands is sent, and a wrong one is reported as refused', async () => {
    const address = await frontend({ apiKey: () => 'right' });
    const file = write('api-key', 'right\n');
    await expect(look(address, trusting({ TEMPORAL_API_KEY_FILE: file }))).resolves.toBeNull();
    writeFileSync(file, 'wrong\n');
    await expect(look(address, trusting({ TEMPORAL_API_KEY_FILE: file }))).resolves.toBe('refused');
    await expect(look(address, trusting())).resolves.toBe('refused');
  });

  test('a namespace that does not exist is created with its search attributes', async () => {
    const address = server('temporal').address ?? '';
    const namespace = `new-${randomBytes(4).toString('hex')}`;
    await expect(look(address, engineLogin(none), namespace)).resolves.toBeNull();
    const connection = await NativeConnection.connect({ address });
    try {
      await expect(missingSearchAttributes(connection, namespace)).resolves.toEqual([]);
    } finally {
      await connection.close();
    }
  });
});
