import type { SrvRecord } from 'node:dns';
import { discoverOf, inOrder } from '../../connectors/ldap/discovery';
import { type DnsServer, startDnsServer } from '../support/dns-server';

const record = (name: string, changes: Partial<SrvRecord> = {}): SrvRecord => ({
  ...{ name, port: 389, priority: 0, weight: 0 },
  ...changes,
});

/** The servers of a domain, by a real DNS server. */
describe('the servers of ldaps+srv://', () => {
  let dns: DnsServer;
  beforeAll(async () => {
    dns = await startDnsServer();
  });
  afterAll(() => dns.close());
  afterEach(() => {
    for (const name of Object.keys(dns.records)) delete dns.records[name];
  });
  const discover = (url: string, serverName?: string) =>
    discoverOf({ url, serverName }, dns.resolveSrv, () => 0.5)?.();

  test('are those of _ldaps._tcp with their ports, in the order of their priority', async () => {
    dns.records['_ldaps._tcp.corp.test'] = [
      record('dc2.corp.test', { port: 1636, priority: 20 }),
      record('dc1.corp.test', { port: 636, priority: 10 }),
    ];
    expect(await discover('ldaps+srv://corp.test')).toEqual([
      'ldaps://dc1.corp.test:636',
      'ldaps://dc2.corp.test:1636',
    ]);
  });

  test('are those of _ldap._tcp with the port of LDAPS, or that of the address, when there are no others', async () => {
    dns.records['_ldap._tcp.berlin._sites.corp.test'] = [record('dc1.corp.test')];
    expect(await discover('ldaps+srv://berlin._sites.corp.test')).toEqual([
      'ldaps://dc1.corp.test:636',
    ]);
    expect(await discover('ldaps+srv://berlin._sites.corp.test:3269')).toEqual([
      'ldaps://dc1.corp.test:3269',
    ]);
    expect(await discover('ldap+srv://berlin._sites.corp.test')).toEqual([
      'ldap://dc1.corp.test:389',
    ]);
  });

  test('are never outside of the domain, because the answer of the DNS may be forged, unless serverName is set', async () => {
    dns.records['_ldaps._tcp.corp.test'] = [
      record('dc1.corp.test.attacker.test', { port: 636 }),
      record('notcorp.test', { port: 636 }),
    ];
    await expect(discover('ldaps+srv://corp.test')).rejects.toMatchObject({
      reason: 'unreachable',
      vendorCode: 'srv_no_server',
    });
    expect(await discover('ldaps+srv://corp.test', 'ldap.corp.test')).toHaveLength(2);
  });

  test('cannot be found when the domain does not exist', async () => {
    await expect(discover('ldaps+srv://corp.test')).rejects.toMatchObject({
      reason: 'unreachable',
      vendorCode: 'ENOTFOUND',
    });
  });

  test('come first as often as their share of the weights, and never before a server of a higher priority', () => {
    const servers = [
      record('heavy', { weight: 30 }),
      record('light', { weight: 10 }),
      record('none', { weight: 0 }),
      record('last', { priority: 1, weight: 1000 }),
    ];
    const first = new Map<string, number>();
    let state = 1;
    const random = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    for (let round = 0; round < 4_000; round++) {
      const draws = new Map(servers.map(({ name }) => [name, random()]));
      const ordered = inOrder(servers, ({ name }) => draws.get(name) ?? 0).map(({ name }) => name);
      expect(ordered.at(-1)).toBe('last');
      first.set(ordered[0] ?? '', (first.get(ordered[0] ?? '') ?? 0) + 1);
    }
    expect((first.get('heavy') ?? 0) / 4_000).toBeCloseTo(0.75, 1);
    expect((first.get('light') ?? 0) / 4_000).toBeCloseTo(0.25, 1);
  });
});
