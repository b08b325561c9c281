import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Connector } from '../../connectors/contract';
import { openLdap } from '../../connectors/ldap/open';
import { ldapSettings } from '../../connectors/ldap/settings';
import { isRoot } from '../../local/places';
import { type Slapd, startSlapd } from '../../local/slapd';
import { Secret } from '../../model/passwords/secret';
import { startDnsServer } from '../support/dns-server';
import { onePersonDirectory } from '../support/one-person-directory';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const SUFFIX = 'dc=two';
const SERVICE = 'cn=lockstep,dc=two';
const ADA = { name: 'uid=ada,dc=two', nativeId: null };

/** The same people on each server. They do not replicate, so a test sees which one was written. */
const directory = onePersonDirectory(SUFFIX, 'of the service account');

describeWith(['slapd'], 'a directory with two servers', () => {
  let parent: string;
  let servers: [Slapd, Slapd];
  let connector: Connector;

  const start = (index: number, port?: number) =>
    startSlapd({
      dir: path.join(parent, `server-${index}`),
      directories: [directory],
      report: () => {},
      ...(port !== undefined && { port }),
    });
  const settingsOf = (more: object = {}) =>
    ldapSettings.parse({
      url: servers[0].url,
      fallbackUrls: [servers[1].url],
      ca: servers[0].caFile,
      serverName: 'localhost',
      bindDn: SERVICE,
      bindPassword: '${file:ldap}',
      base: SUFFIX,
      ...more,
    });
  const open = (replicationMs: number) =>
    openLdap(
      settingsOf({ timeoutMs: 1_000 }),
      { resolve: () => Secret.fromText('of the service account') },
      { returnMs: 50, replicationMs },
    );
  const write = (password: string) =>
    connector.setPassword({
      account: ADA,
      password: Secret.fromText(password),
      form: 'plaintext',
      salt: randomBytes(16),
    });
  const verify = (password: string) =>
    connector.verify({
      account: ADA,
      password: Secret.fromText(password),
      form: 'plaintext',
    });

  beforeAll(async () => {
    const shared = isRoot ? '/var/tmp' : path.resolve('.lockstep');
    mkdirSync(shared, { recursive: true });
    parent = mkdtempSync(path.join(shared, 'slapd-servers-'));
    chmodSync(parent, 0o755);
    const first = await start(0);
    // One authority for both, as in a company.
    cpSync(path.join(parent, 'server-0/tls'), path.join(parent, 'server-1/tls'), {
      recursive: true,
    });
    servers = [first, await start(1)];
  });
  afterAll(async () => {
    await Promise.all(servers.map((one) => one.stop()));
    rmSync(parent, { recursive: true });
  });
  afterEach(() => connector.close());

  test('a write goes to the first server, and to the second one when that is down, and back', async () => {
    connector = open(0);
    expect(await write('written to the first server')).toMatchObject({ result: 'applied' });
    expect(await verify('written to the first server')).toMatchObject({ result: 'holds' });

    const { port } = servers[0];
    await servers[0].stop();
    expect(await write('written to the second server')).toMatchObject({ result: 'applied' });
    expect(await verify('written to the second server')).toMatchObject({ result: 'holds' });

    servers[0] = await start(0, port);
    await until(async () => (await verify('written to the first server')).result === 'holds');
    expect(await verify('written to the second server')).toMatchObject({ result: 'differs' });
  });

  test('the servers of a domain are used by their priority, and the server in use is shown', async () => {
    const dns = await startDnsServer();
    const [{ port: first }, { port: second }] = servers;
    const localhost = { name: 'localhost', weight: 0 };
    dns.records['_ldaps._tcp.localhost'] = [
      { ...localhost, port: second, priority: 20 },
      { ...localhost, port: first, priority: 10 },
    ];
    connector = openLdap(
      settingsOf({ timeoutMs: 1_000, url: 'ldaps+srv://localhost', fallbackUrls: [] }),
      { resolve: () => Secret.fromText('of the service account') },
      { returnMs: 50, replicationMs: 0, lookUpMs: 0, resolveSrv: dns.resolveSrv },
    );
    expect(connector.server?.()).toBeNull();
    expect(await write('written to the preferred server')).toMatchObject({ result: 'applied' });
    expect(connector.server?.()).toBe(`ldaps://localhost:${first}`);

    await servers[0].stop();
    expect(await verify('written to the second server')).toMatchObject({ result: 'holds' });
    expect(connector.server?.()).toBe(`ldaps://localhost:${second}`);

    servers[0] = await start(0, first);
    await until(async () => connector.server?.() === `ldaps://localhost:${first}`);
    // The servers stay known while the DNS does not answer.
    dns.close();
    expect(await verify('written to the preferred server')).toMatchObject({ result: 'holds' });
  });

  test('a wrong password says nothing just after another server has taken over', async () => {
    connector = open(60_000);
    const { port } = servers[0];
    expect(await verify('a password that no server has')).toMatchObject({ result: 'differs' });
    await servers[0].stop();
    expect(await verify('a password that no server has')).toMatchObject({
      result: 'inconclusive',
      reason: 'unreachable',
      vendorCode: 'replication',
    });
    servers[0] = await start(0, port);
  });

  test('the doctor shows which server is in use and which one cannot be used', async () => {
    connector = open(0);
    const { port } = servers[0];
    await servers[0].stop();
    const findings = await connector.check();
    servers[0] = await start(0, port);
    expect(findings).toContainEqual({
      check: 'servers',
      verdict: 'warning',
      says: `${servers[0].url} cannot be used (ECONNREFUSED). Lockstep uses ${servers[1].url} until it can.`,
    });
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'service-login', verdict: 'ok' }),
    );
  });

  test('a refused service account is not tried on the other server', async () => {
    connector = openLdap(settingsOf(), { resolve: () => Secret.fromText('another password') });
    expect(await connector.state({ account: ADA })).toMatchObject({
      result: 'failed',
      reason: 'service_credential_refused',
    });
    expect((await connector.check()).map(({ says }) => says)).toContainEqual(
      expect.stringContaining('The server rejects the service account'),
    );
  });
});
