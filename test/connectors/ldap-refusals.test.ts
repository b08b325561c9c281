import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { ldap } from '../../connectors/ldap/kind';
import { ldapSettings } from '../../connectors/ldap/settings';
import { certificatesIn } from '../../local/certificates';
import { ldifEntry, type Slapd, ssha, startSlapd } from '../../local/slapd';
import { Secret } from '../../model/passwords/secret';
import { describeWith, server } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import { openFolder } from '../support/shims';
import type { Settings } from './conformance/subject';
import { ldapAdmin } from './ldap-subject';

/** A server that refuses a request is reported as that, not as unreachable, and the checks that follow still run. */
describeWith(['slapd'], 'refusals of an LDAP server', () => {
  const opened: { close(): Promise<void> }[] = [];
  afterAll(async () => {
    for (const closable of opened) await closable.close();
  });

  async function open(changes: Settings) {
    const { url, caFile } = server('slapd');
    const settings = {
      ...{ url, ca: caFile, base: `ou=people,${suffixes.corp}` },
      ...{ bindDn: service('lockstep'), bindPassword: '${file:lockstep}' },
      ...changes,
    };
    const connector = await ldap.open(ldapSettings.parse(settings), {
      resolve: (reference) => Secret.fromText(server('slapd')[reference.slice(7, -1)] ?? 'secret'),
    });
    opened.push(connector);
    return connector;
  }
  const service = (name: string, suffix: string = suffixes.corp) =>
    `cn=${name},ou=services,${suffix}`;
  const finding = (check: string, verdict: string, says = '') =>
    expect.objectContaining({ check, verdict, says: expect.stringContaining(says) });

  test('a server that refuses paged results is reported as that, and the checks after it still run', async () => {
    const unpaged = await open({
      bindDn: service('unpaged'),
      bindPassword: '${file:unpaged}',
    });
    const directory = await ldapAdmin(suffixes.corp);
    opened.push(directory);
    await directory.addAccount();
    expect(await unpaged.list({ cursor: null, pageSize: 50 })).toEqual({
      result: 'failed',
      reason: 'not_supported',
      vendorCode: '11',
    });
    const findings = await unpaged.check();
    expect(findings).toContainEqual(finding('listing', 'warning', 'size.prtotal'));
    expect(findings).toContainEqual(finding('policy', 'warning', 'pwdMustChange'));
  });

  test('a base that the server refers to another server is reported as that, and the checks after it still run', async () => {
    const directory = await ldapAdmin(suffixes.corp);
    opened.push(directory);
    const base = `ou=moved,${suffixes.corp}`;
    await directory.client.add(base, {
      ...{ objectClass: ['referral', 'extensibleObject'], ou: 'moved' },
      ref: `ldap://elsewhere.test/${base}`,
    });
    const moved = await open({ base });
    expect(await moved.find({ match: { uid: 'ada' }, limit: 2 })).toEqual({
      result: 'failed',
      reason: 'not_supported',
      vendorCode: '10',
    });
    const findings = await moved.check();
    expect(findings).toContainEqual(finding('base', 'wrong', 'another server (10)'));
    expect(findings).toContainEqual(finding('policy', 'warning', 'pwdMustChange'));
    expect(findings.map(({ check }) => check)).not.toContain('connection');
  });

  describe('on a strict server', () => {
    const [restricted, closed] = ['dc=strict,dc=test', 'dc=closed,dc=test'];
    let strict: Slapd;
    beforeAll(async () => {
      strict = await startSlapd({
        dir: path.join(openFolder(), 'slapd'),
        directories: [
          directoryOf(restricted, 'restrict extended=1.3.6.1.4.1.4203.1.11.1'),
          directoryOf(closed, 'security simple_bind=1024'),
        ],
        report: () => {},
      });
    });
    afterAll(() => strict.stop());

    const directoryOf = (suffix: string, rule: string) => ({
      ...{ suffix, policy: {}, adminHash: ssha(Secret.fromText('secret')) },
      rules: ['access to * by users write by anonymous auth', rule],
      ldif: [
        ldifEntry(suffix, { objectClass: 'domain', dc: suffix.slice(3, suffix.indexOf(',')) }),
        ldifEntry(`ou=services,${suffix}`, { objectClass: 'organizationalUnit', ou: 'services' }),
        ldifEntry(service('lockstep', suffix), {
          objectClass: ['organizationalRole', 'simpleSecurityObject'],
          ...{ cn: 'lockstep', userPassword: ssha(Secret.fromText('secret')) },
        }),
        ldifEntry(`uid=ada,${suffix}`, {
          ...{ objectClass: 'inetOrgPerson', uid: 'ada', cn: 'Ada', sn: 'Test' },
        }),
      ].join(''),
    });
    const on = (suffix: string, changes: Settings = {}) =>
      open({
        ...{ url: strict.url, ca: strict.caFile, base: suffix },
        ...{ bindDn: service('lockstep', suffix), bindPassword: '${file:strict}' },
        ...changes,
      });

    test('check reports that the server refuses the password modify operation if writes would use it', async () => {
      const byExop = await (await on(restricted)).check();
      expect(byExop).toContainEqual(finding('rights', 'wrong', 'RFC 3062'));
      const byModify = await (await on(restricted, { write: 'modify' })).check();
      expect(byModify).toContainEqual(finding('rights', 'ok'));
    });

    test('a server that requires stronger encryption for a login is reported as that', async () => {
      expect(await (await on(closed)).check()).toEqual([
        finding('tls', 'ok'),
        finding('service-login', 'wrong', 'stronger encryption for a login (13)'),
      ]);
    });
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a server that requires a certificate of the client over %s is reported as that',
    async (version) => {
      const { caFile, certFile, keyFile } = await certificatesIn(openFolder());
      const [ca, cert, key] = [caFile, certFile, keyFile].map((file) => readFileSync(file));
      const demanding = tls.createServer({
        ...{ ca, cert, key, requestCert: true, rejectUnauthorized: true },
        ...{ minVersion: version, maxVersion: version },
      });
      demanding.on('tlsClientError', () => {});
      await new Promise<void>((resolve) => demanding.listen(0, '127.0.0.1', resolve));
      const { port } = demanding.address() as AddressInfo;
      const url = `ldaps://127.0.0.1:${port}`;
      const connector = await open({ url, ca: caFile });
      expect(await connector.check()).toContainEqual(
        finding('tls', 'wrong', 'requires a certificate of the client'),
      );
      expect(await connector.find({ match: { uid: 'ada' }, limit: 2 })).toEqual({
        ...{ result: 'failed', reason: 'unreachable', vendorCode: 'client_certificate' },
      });
      demanding.close();
    },
  );
});
