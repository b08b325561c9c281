import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { BerWriter, ExtendedRequest } from 'ldapts';
import { generate } from 'selfsigned';
import type { Connector } from '../../connectors/contract';
import { openLdap } from '../../connectors/ldap/open';
import { ldapSettings } from '../../connectors/ldap/settings';
import { isRoot } from '../../local/places';
import { freePort } from '../../local/ports';
import { type Slapd, startSlapd } from '../../local/slapd';
import { Secret } from '../../model/passwords/secret';
import { onePersonDirectory } from '../support/one-person-directory';
import { describeWith } from '../support/servers';

const SUFFIX = 'dc=tls';
const SERVICE = 'cn=lockstep,dc=tls';
const ADA = { name: 'uid=ada,dc=tls', nativeId: null };
const SERVICE_PASSWORD = 'of the service account';

const directory = onePersonDirectory(SUFFIX, SERVICE_PASSWORD);

/** A server that requires a certificate of each client, and also offers StartTLS. */
describeWith(['slapd'], 'the TLS connection to a directory', () => {
  let parent: string;
  let server: Slapd;
  let startTlsPort: number;
  const files: Record<string, string> = {};
  const connectors: Connector[] = [];

  beforeAll(async () => {
    const shared = isRoot ? '/var/tmp' : path.resolve('.lockstep');
    mkdirSync(shared, { recursive: true });
    parent = mkdtempSync(path.join(shared, 'slapd-tls-'));
    chmodSync(parent, 0o755);
    await clientCertificates();
    startTlsPort = await freePort();
    server = await startSlapd({
      dir: path.join(parent, 'server'),
      directories: [directory],
      report: () => {},
      startTlsPort,
      lines: [
        `TLSCACertificateFile "${files.ca}"`,
        'TLSVerifyClient demand',
        'security tls=128',
        `authz-regexp "^cn=lockstep client$" "${SERVICE}"`,
      ],
    });
  });
  afterEach(async () => {
    for (const connector of connectors.splice(0)) await connector.close();
  });
  afterAll(async () => {
    await server.stop();
    rmSync(parent, { recursive: true });
  });

  /** An authority for clients with one certificate, and a certificate of another authority. */
  async function clientCertificates(): Promise<void> {
    for (const name of ['lockstep', 'stranger']) {
      const ca = await generate([{ name: 'commonName', value: `CA of ${name}` }], {
        keyType: 'ec',
        algorithm: 'sha256',
        extensions: [
          { name: 'basicConstraints', cA: true, critical: true },
          { name: 'keyUsage', keyCertSign: true, critical: true },
        ],
      });
      const client = await generate([{ name: 'commonName', value: `${name} client` }], {
        keyType: 'ec',
        algorithm: 'sha256',
        ca: { key: ca.private, cert: ca.cert },
        extensions: [
          { name: 'basicConstraints', cA: false },
          { name: 'extKeyUsage', clientAuth: true },
        ],
      });
      const written = {
        [`${name}-ca`]: ca.cert,
        [name]: client.cert,
        [`${name}-key`]: client.private,
      };
      for (const [file, content] of Object.entries(written)) {
        files[file] = path.join(parent, `${file}.pem`);
        writeFileSync(files[file], content);
      }
    }
    files.ca = files['lockstep-ca'] ?? '';
  }

  function open(changes: object) {
    const settings = ldapSettings.parse({
      url: server.url,
      ca: server.caFile,
      serverName: 'localhost',
      bindDn: SERVICE,
      base: SUFFIX,
      ...changes,
    });
    const connector = openLdap(settings, {
      resolve(reference) {
        const name = reference.slice(7, -1);
        return name === 'password'
          ? Secret.fromText(SERVICE_PASSWORD)
          : Secret.of(readFileSync(files[name] ?? ''));
      },
    });
    connectors.push(connector);
    return connector;
  }
  const certified = (name: string) => ({
    clientCertificate: files[name],
    clientKey: `\${file:${name}-key}`,
  });
  const byPassword = { bindPassword: '${file:password}' };
  const external = () => ({ ...certified('lockstep'), login: 'external' });
  const startTls = () => ({ url: `ldap://127.0.0.1:${startTlsPort}`, startTls: true });

  async function expectWritten(connector: Connector): Promise<void> {
    const word = randomBytes(12).toString('hex');
    const written = await connector.setPassword({
      account: ADA,
      password: Secret.fromText(word),
      form: 'plaintext',
      salt: randomBytes(16),
    });
    expect(written).toMatchObject({ result: 'applied' });
    expect(await verify(connector, word)).toMatchObject({ result: 'holds' });
    expect(await verify(connector, 'another password')).toMatchObject({ result: 'differs' });
  }
  const verify = (connector: Connector, word: string) =>
    connector.verify({ account: ADA, password: Secret.fromText(word), form: 'plaintext' });
  const findings = async (connector: Connector) =>
    (await connector.check()).map(({ check, verdict, says }) => `${check} ${verdict}: ${says}`);

  test.each([
    ['by its certificate (SASL EXTERNAL)', () => external()],
    [
      'by password, over a connection with its certificate',
      () => ({ ...certified('lockstep'), ...byPassword }),
    ],
    ['by its certificate over StartTLS', () => ({ ...external(), ...startTls() })],
    [
      'by password over StartTLS',
      () => ({ ...certified('lockstep'), ...byPassword, ...startTls() }),
    ],
  ])('a service account that logs in %s writes and verifies passwords', async (_how, changes) => {
    const connector = open(changes());
    await expectWritten(connector);
    expect(await findings(connector)).toContainEqual(
      expect.stringMatching(/^service-login ok: cn=lockstep,dc=tls can log in/),
    );
  });

  test('a server that requires a certificate does not accept one of another authority, and the doctor reports that', async () => {
    const connector = open({ ...certified('stranger'), ...byPassword });
    expect(await findings(connector)).toContainEqual(
      expect.stringMatching(/^tls wrong: The server does not accept the certificate of the client/),
    );
    expect(await connector.state({ account: ADA })).toMatchObject({ reason: 'unreachable' });
  });

  test('a key that does not belong to the certificate pauses the source, and the doctor reports it', async () => {
    const connector = open({ ...external(), clientKey: '${file:stranger-key}' });
    expect(await connector.state({ account: ADA })).toEqual({
      result: 'failed',
      reason: 'service_credential_refused',
      vendorCode: 'client_key',
    });
    expect(await findings(connector)).toEqual([
      expect.stringMatching(/^tls wrong: The certificate of the client or its key cannot be used/),
    ]);
  });

  test('a new certificate is used without a restart', async () => {
    const saved = readFileSync(files.lockstep ?? '');
    const connector = open(external());
    writeFileSync(files.lockstep ?? '', 'not a certificate');
    expect(await connector.state({ account: ADA })).toMatchObject({ vendorCode: 'client_key' });
    writeFileSync(files.lockstep ?? '', saved);
    expect(await connector.state({ account: ADA })).toMatchObject({ result: 'state' });
  });

  /** What a server between Lockstep and the directory answers to the request for TLS, and what it receives after that. */
  async function impostor(
    answer: Buffer,
  ): Promise<{ port: number; received: Buffer[]; close(): void }> {
    const received: Buffer[] = [];
    const listener = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => received.push(bytes));
      socket.once('data', () => socket.write(answer));
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const { port } = listener.address() as AddressInfo;
    return { port, received, close: () => listener.close() };
  }
  const response = (code: number): Buffer => {
    const writer = new BerWriter();
    writer.startSequence();
    writer.writeInt(1);
    writer.startSequence(0x78);
    writer.writeEnumeration(code);
    writer.writeString('');
    writer.writeString('');
    writer.endSequence();
    writer.endSequence();
    return writer.buffer;
  };

  test.each([
    ['refuses StartTLS', () => response(2), 'start_tls_refused'],
    [
      'answers with something else',
      () => Buffer.from('220 mail.test ESMTP\r\n'),
      'start_tls_unclear',
    ],
    [
      'sends more after its answer',
      () => Buffer.concat([response(0), response(0)]),
      'start_tls_unclear',
    ],
  ])('a server that %s receives nothing but the request for TLS', async (_what, answer, code) => {
    const between = await impostor(answer());
    const connector = open({
      ...byPassword,
      url: `ldap://127.0.0.1:${between.port}`,
      startTls: true,
    });
    expect(await connector.state({ account: ADA })).toEqual({
      result: 'failed',
      reason: 'unreachable',
      vendorCode: code,
    });
    expect(await verify(connector, 'the password of a person')).toMatchObject({ vendorCode: code });
    const request = new ExtendedRequest({ messageId: 1, oid: '1.3.6.1.4.1.1466.20037' }).write();
    expect(between.received).toEqual([request, request]);
    between.close();
  });

  test('a server that begins TLS with an untrusted certificate gets no login', async () => {
    const connector = open({
      ...certified('lockstep'),
      ...byPassword,
      ...startTls(),
      ca: files['stranger-ca'],
    });
    expect(await connector.state({ account: ADA })).toMatchObject({
      reason: 'certificate_refused',
    });
  });

  test.each([
    [{ url: 'ldap://host', ...byPassword }, 'url', 'set startTls'],
    [
      { url: 'ldaps://host', fallbackUrls: ['ldap://host'], ...byPassword },
      'fallbackUrls',
      'set startTls',
    ],
    [{ url: 'ldaps://host' }, 'bindPassword', 'is missing'],
    [{ url: 'ldaps://host', login: 'external' }, 'clientCertificate', 'is missing'],
    [
      { url: 'ldaps://host', clientKey: '${file:key}', ...byPassword },
      'clientKey',
      'belong together',
    ],
  ])('settings that contradict each other are refused: %j', (given, field, says) => {
    const { error } = ldapSettings.safeParse({ bindDn: SERVICE, base: SUFFIX, ...given });
    expect(error?.issues).toEqual([
      expect.objectContaining({ path: [field], message: expect.stringContaining(says) }),
    ]);
  });
});
