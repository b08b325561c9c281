import type { Connector } from '../../connectors/contract';
import { ldap } from '../../connectors/ldap/kind';
import { ldapSettings } from '../../connectors/ldap/settings';
import { runTrial } from '../../connectors/trial/run';
import { Secret } from '../../model/passwords/secret';
import type { CaseResult } from '../../model/trial';
import { describeWith, server } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import { uniqueName } from './directory-admin';
import { type LdapAdmin, ldapAdmin } from './ldap-subject';

/** `lockstep connector test` on a connector that keeps its promises, so each alarm would be a false one. */
describeWith(['slapd'], 'lockstep connector test on OpenLDAP', () => {
  let admin: LdapAdmin;
  const opened: Connector[] = [];
  beforeAll(async () => {
    admin = await ldapAdmin(suffixes.corp);
  });
  afterAll(async () => {
    for (const connector of opened) await connector.close();
    await admin.close();
  });

  async function open(timeoutMs: number): Promise<Connector | null> {
    const { url, caFile } = server('slapd');
    const settings = ldapSettings.safeParse({
      ...{ url, ca: caFile, base: `ou=people,${suffixes.corp}`, timeoutMs },
      bindDn: `cn=lockstep,ou=services,${suffixes.corp}`,
      bindPassword: '${file:lockstep}',
    });
    if (!settings.success) return null;
    const connector = await ldap.open(settings.data, {
      resolve: () => Secret.fromText(server('slapd').lockstep ?? ''),
    });
    opened.push(connector);
    return connector;
  }

  async function resultsFor(name: string, uid: string): Promise<CaseResult[]> {
    const connector = await open(5_000);
    if (connector === null) throw new Error('The settings are not valid');
    const results: CaseResult[] = [];
    const options = {
      account: { name, nativeId: null },
      find: { attribute: 'uid', value: uid },
      hasty: open,
    };
    for await (const result of runTrial(connector, options)) results.push(result);
    return results;
  }

  const alarms = (results: readonly CaseResult[]) =>
    results.filter(({ verdict }) => verdict === 'wrong');

  test('connector test raises no alarm for an account whose key is that of another account and one more character', async () => {
    const shorter = await admin.addAccount();
    const uid = `${shorter.key}9`;
    const dn = `uid=${uid},ou=people,${suffixes.corp}`;
    await admin.client.add(dn, {
      ...{ objectClass: 'inetOrgPerson', uid, cn: uid, sn: 'Test' },
      userPassword: uniqueName('First-1!'),
    });
    const results = await resultsFor(dn, uid);
    expect(alarms(results)).toEqual([]);
    expect(results.length).toBeGreaterThan(30);
  });

  test('connector test raises no alarm when it runs again, with the account in another spelling and a long history of passwords', async () => {
    const policy = await admin.addPolicy({ pwdInHistory: '200', pwdCheckQuality: '2' });
    const { key, ref } = await admin.addAccount({ pwdPolicySubentry: policy });
    const respelled = ref.name.replace('uid=', 'UID=').replace(',ou=', ', OU=');
    for (const name of [ref.name, respelled])
      expect(alarms(await resultsFor(name, key))).toEqual([]);
  });

  test('connector test names a minimum password age once instead of an alarm for each case', async () => {
    const policy = await admin.addPolicy({ pwdMinAge: '3600' });
    const { key, ref } = await admin.addAccount({ pwdPolicySubentry: policy });
    const results = await resultsFor(ref.name, key);
    expect(alarms(results)).toEqual([]);
    expect(results.at(-1)).toMatchObject({
      verdict: 'skipped',
      says: expect.stringContaining('minimum password age'),
    });
  });
});
