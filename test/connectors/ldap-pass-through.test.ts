import type { Connector } from '../../connectors/contract';
import { ldap } from '../../connectors/ldap/kind';
import { ldapSettings } from '../../connectors/ldap/settings';
import { Secret } from '../../model/passwords/secret';
import { describeWith, server } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import { freshPassword, write } from './conformance/bench';
import type { Settings } from './conformance/subject';
import { type LdapAdmin, ldapAdmin } from './ldap-subject';

const PASS_THROUGH = '{SASL}ada@EXAMPLE.TEST';

/** An entry of OpenLDAP can refer to a password in another system, by a value such as {SASL}user@REALM. */
describeWith(['slapd'], 'passwords that an OpenLDAP directory passes through', () => {
  let admin: LdapAdmin;
  const opened: Connector[] = [];
  beforeAll(async () => {
    admin = await ldapAdmin(suffixes.corp);
  });
  afterAll(async () => {
    for (const connector of opened) await connector.close();
    await admin.close();
  });

  async function openAs(name: 'lockstep' | 'manager', changes: Settings = {}): Promise<Connector> {
    const { url, caFile } = server('slapd');
    const settings = {
      ...{ url, ca: caFile, base: `ou=people,${suffixes.corp}` },
      ...{ bindDn: `cn=${name},ou=services,${suffixes.corp}`, bindPassword: `\${file:${name}}` },
      ...changes,
    };
    const connector = await ldap.open(ldapSettings.parse(settings), {
      resolve: (reference) => Secret.fromText(server('slapd')[reference.slice(7, -1)] ?? ''),
    });
    opened.push(connector);
    return connector;
  }

  async function passedThrough() {
    const account = await admin.addAccount();
    await admin.replace(account, 'userPassword', PASS_THROUGH);
    return account;
  }

  const finding = async (connector: Connector) =>
    (await connector.check()).find(({ check }) => check === 'pass-through');

  test.each(['exop', 'modify'])(
    'a write by %s to an account whose password is kept elsewhere is rejected, and the reference stays',
    async (mode) => {
      const connector = await openAs('manager', { write: mode });
      const [account, other] = [await passedThrough(), await admin.addAccount()];
      expect(await write(connector, account, freshPassword())).toEqual({
        result: 'rejected',
        reason: 'no_own_password',
        vendorCode: 'SASL',
      });
      expect((await admin.read(account)).userPassword).toBe(PASS_THROUGH);
      expect(await write(connector, other, freshPassword())).toMatchObject({ result: 'applied' });
    },
  );

  test.each([
    ['a locked hash', '{CRYPT}!$6$rounds=5000$salt$hash', 'account_disabled'],
    ['a locked hash in lower case', '{crypt}!!$1$salt$hash', 'account_disabled'],
    ['a mark without a hash', '{CRYPT}*', 'no_own_password'],
    ['a mark of Solaris', '{CRYPT}*LK*$5$salt$hash', 'account_disabled'],
  ])(
    'a write to an account with %s is rejected, and the value stays',
    async (_what, value, reason) => {
      const account = await admin.addAccount();
      await admin.replace(account, 'userPassword', value);
      for (const mode of ['exop', 'modify']) {
        const connector = await openAs('manager', { write: mode });
        expect(await write(connector, account, freshPassword())).toEqual({
          result: 'rejected',
          reason,
          vendorCode: 'CRYPT',
        });
      }
      expect((await admin.read(account)).userPassword).toBe(value);
    },
  );

  test('an account whose password is kept elsewhere is recognized after a rename', async () => {
    const connector = await openAs('manager', { write: 'modify' });
    const account = await passedThrough();
    const renamed = account.ref.name.replace('uid=', 'uid=renamed-');
    await admin.client.modifyDN(account.ref.name, renamed);
    expect(await write(connector, account, freshPassword())).toMatchObject({
      reason: 'no_own_password',
    });
  });

  test('check warns about accounts whose password is kept elsewhere', async () => {
    await passedThrough();
    expect(await finding(await openAs('manager'))).toMatchObject({
      verdict: 'warning',
      says: expect.stringMatching(/\d+ with \{SASL\}/),
    });
  });

  test('check reports that it cannot recognize such accounts if the service account may not read passwords', async () => {
    await passedThrough();
    expect(await finding(await openAs('lockstep'))).toMatchObject({
      verdict: 'skipped',
      says: expect.stringContaining('cannot read userPassword'),
    });
  });
});
