import { randomBytes } from 'node:crypto';
import type { Connector } from '../../connectors/contract';
import { policyOf389 } from '../../connectors/ldap/policies';
import { Secret } from '../../model/passwords/secret';
import { asksNothing } from '../../model/policy/target-policy';
import { checkSource } from '../../worker/jobs/check-source';
import { testDatabase } from '../support/database';
import { describeWith, server } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import { activeDirectorySubject, type DomainAdmin, domainAdmin } from './active-directory-subject';
import type { Settings } from './conformance/subject';
import { type Ds389Admin, ds389Admin, ds389Subject } from './ldap-389ds-subject';
import { ldapAdmin, ldapSubject } from './ldap-subject';
import { openSubject } from './open-subject';
import { asking } from './requests';

/** Compares the policies that sources publish with the passwords that they accept. */

async function read(connector: Connector) {
  const answer = await connector.policies?.();
  if (answer?.result !== 'policies') throw new Error(JSON.stringify(answer));
  return answer.policies;
}

describeWith(['slapd', 'postgres'], 'the policies of OpenLDAP', () => {
  const subject = ldapSubject({ title: 'policies', suffix: suffixes.corp, changes: {} });
  const opened: Connector[] = [];
  const open = async (changes: Settings = {}) => {
    const connector = await openSubject(subject, changes);
    opened.push(connector);
    return connector;
  };
  afterAll(async () => {
    for (const connector of opened) await connector.close();
  });

  test('policies returns each policy that may bind an account, with lengths in bytes', async () => {
    const admin = await ldapAdmin(suffixes.corp);
    const strict = await admin.addPolicy({
      pwdCheckQuality: '1',
      pwdMinLength: '20',
      pwdMinAge: '3600',
    });
    const unchecked = await admin.addPolicy({ pwdMinLength: '30', pwdMaxLength: '40' });
    await admin.close();
    const policies = await read(await open());
    const byName = Object.fromEntries(policies.map((policy) => [policy.name, policy]));
    const some = { ...asksNothing, countsBytes: true };
    expect(byName).toMatchObject({
      [`cn=policy,${suffixes.corp}`]: { ...some, minLength: 8, maxLength: 600, history: 3 },
      [strict]: { ...some, minLength: 20, minAgeSeconds: 3600 },
      [unchecked]: some,
    });
  });

  test('the published policy agrees with what the server accepts', async () => {
    const connector = await open();
    const policy = (await read(connector)).find(({ name }) => name.startsWith('cn=policy,'));
    const account = (await subject.account()).ref;
    const write = (bytes: number) =>
      connector.setPassword(asking(account, Secret.of(printable(bytes))));
    expect(await write((policy?.minLength ?? 0) - 1)).toMatchObject({ reason: 'policy_too_short' });
    expect(await write((policy?.maxLength ?? 0) + 1)).toMatchObject({ reason: 'policy_too_long' });
    expect(await write(policy?.minLength ?? 0)).toMatchObject({ result: 'applied' });
    expect(await write(policy?.maxLength ?? 0)).toMatchObject({ result: 'applied' });
  });

  test('a check of the source stores its policies for the plan', async () => {
    const connector = await open();
    const database = await testDatabase();
    const { findings, policies } = await checkSource(database.db, 'directory', connector, false);
    await database.close();
    expect(findings.map(({ check }) => check)).toContain('policy');
    expect(policies).toEqual(await read(connector));
  });

  test('policies returns only the policies of the suffix of the accounts', async () => {
    const other = { bindDn: `cn=lockstep,ou=services,${suffixes.free}` };
    const policies = await read(await open({ ...other, base: `ou=people,${suffixes.free}` }));
    expect(policies.filter(({ name }) => !name.endsWith(suffixes.free))).toEqual([]);
  });

  test('policies answers a failure if the server is down', async () => {
    const connector = await open({ url: 'ldaps://127.0.0.1:1' });
    expect(await connector.policies?.()).toMatchObject({ reason: 'unreachable' });
  });
});

/** A random password with upper and lower case letters and digits. */
const printable = (length: number): Buffer =>
  Buffer.from(`Aa1${randomBytes(length).toString('hex')}`.slice(0, length));

describeWith(['samba'], 'the policies of a domain', () => {
  let administrator: Promise<DomainAdmin> | undefined;
  const admin = () => {
    administrator ??= domainAdmin();
    return administrator;
  };
  const subject = activeDirectorySubject(admin);
  const fine = `pso${randomBytes(4).toString('hex')}`;
  const fineDn = () =>
    `CN=${fine},CN=Password Settings Container,CN=System,${server('samba').base}`;
  const opened: Connector[] = [];
  const open = async (changes: Settings = {}) => {
    const secrets = { ...subject.secrets, '${file:admin}': server('samba').admin ?? '' };
    const connector = await openSubject(subject, changes, secrets);
    opened.push(connector);
    return connector;
  };

  beforeAll(async () => {
    const { client } = await admin();
    await client.add(fineDn(), {
      objectClass: 'msDS-PasswordSettings',
      'msDS-PasswordSettingsPrecedence': '10',
      'msDS-PasswordReversibleEncryptionEnabled': 'FALSE',
      'msDS-PasswordHistoryLength': '5',
      'msDS-PasswordComplexityEnabled': 'TRUE',
      'msDS-MinimumPasswordLength': '19',
      'msDS-MinimumPasswordAge': '0',
      'msDS-MaximumPasswordAge': '-9223372036854775808',
      'msDS-LockoutThreshold': '0',
      'msDS-LockoutObservationWindow': '0',
      'msDS-LockoutDuration': '0',
    });
  });
  afterAll(async () => {
    for (const connector of opened) await connector.close();
    await (await admin()).client.del(fineDn());
    await (await admin()).close();
  });

  test('policies returns the policy of the domain, without the rules that do not bind a reset', async () => {
    expect(await read(await open())).toContainEqual({
      ...asksNothing,
      name: 'the domain',
      minLength: 7,
      minCharacterTypes: 3,
    });
  });

  test('policies returns fine-grained policies if the service account may read them', async () => {
    const powerful = await open({
      bindDn: server('samba').adminDn,
      bindPassword: '${file:admin}',
    });
    const wanted = { ...asksNothing, name: fine, minLength: 19, minCharacterTypes: 3 };
    expect(await read(powerful)).toContainEqual(wanted);
  });

  test('the published policy agrees with what the domain accepts', async () => {
    const connector = await open();
    const policy = (await read(connector)).find(({ name }) => name === 'the domain');
    const account = (await subject.account()).ref;
    const write = (password: string | Buffer) =>
      connector.setPassword(asking(account, Secret.of(Buffer.from(password))));
    const least = policy?.minLength ?? 0;
    expect(await write(printable(least - 1))).toMatchObject({ reason: 'policy_too_short' });
    expect(await write('onlysmallletters')).toMatchObject({ reason: 'policy_quality' });
    expect(await write(printable(least))).toMatchObject({ result: 'applied' });
  });
});

describeWith(['ds389'], 'the policies of 389 Directory Server', () => {
  let administrator: Promise<Ds389Admin> | undefined;
  const admin = () => {
    administrator ??= ds389Admin();
    return administrator;
  };
  const subject = ds389Subject(admin);
  let connector: Connector;
  beforeAll(async () => {
    connector = await openSubject(subject);
  });
  afterAll(async () => {
    await connector.close();
    await (await administrator)?.close();
  });

  test('policies returns the policy of the server and those of subtrees and accounts', async () => {
    const strict = await (await admin()).addPolicy({
      passwordCheckSyntax: 'on',
      passwordMinLength: '20',
      passwordMinDigits: '2',
      passwordHistory: 'on',
      passwordMinAge: '3600',
    });
    const policies = await read(connector);
    const defaults = { ...asksNothing, minCharacterTypes: 3 };
    expect(policies).toContainEqual({
      ...{ ...asksNothing, name: 'the server', minLength: 8 },
      ...{ minCharacterTypes: 2, history: 3 },
    });
    expect(policies).toContainEqual({
      ...{ ...defaults, name: strict, minLength: 20, minNumeric: 2 },
      ...{ history: 6, minAgeSeconds: 3600 },
    });
  });

  test('the published policy agrees with what the server accepts', async () => {
    const policy = (await read(connector)).find(({ name }) => name === 'the server');
    const account = (await subject.account()).ref;
    const write = (password: string | Buffer) =>
      connector.setPassword(asking(account, Secret.of(Buffer.from(password))));
    const least = policy?.minLength ?? 0;
    expect(await write(printable(least - 1))).toMatchObject({ reason: 'policy_too_short' });
    expect(await write('onlysmallletters')).toMatchObject({ reason: 'policy_quality' });
    expect(await write(printable(least))).toMatchObject({ result: 'applied' });
  });

  test('the published policy of a single account agrees with what the server accepts', async () => {
    const directory = await admin();
    const dn = await directory.addPolicy({
      ...{ passwordCheckSyntax: 'on', passwordMinLength: '10', passwordMinCategories: '1' },
      ...{ passwordMinDigits: '3', passwordMaxRepeats: '2', passwordMinTokenLength: '30' },
    });
    const policy = (await read(connector)).find(({ name }) => name === dn);
    expect(policy).toMatchObject({ minLength: 10, minNumeric: 3, maxRepeatedChars: 2 });
    const account = (await directory.addAccount({ pwdPolicySubentry: dn })).ref;
    const write = (password: string) =>
      connector.setPassword(asking(account, Secret.fromText(password)));
    expect(await write('abcdefg12')).toMatchObject({ reason: 'policy_too_short' });
    expect(await write('abcdefghi12')).toMatchObject({ reason: 'policy_quality' });
    expect(await write('abcdefgh1222')).toMatchObject({ reason: 'policy_quality' });
    expect(await write('abcdefgh122')).toMatchObject({ result: 'applied' });
  });
});

/** The entries are as `ldapsearch -b cn=config -s base` prints them. */
describe('the policy of a 389 Directory Server', () => {
  const on = { dn: 'cn=config', passwordCheckSyntax: 'on' };

  test.each<[string, Parameters<typeof policyOf389>[0], object | null]>([
    ['of another kind of server', { dn: 'cn=config' }, null],
    [
      'without checks',
      { ...on, passwordCheckSyntax: 'off', passwordMinLength: '8', passwordMinCategories: '3' },
      {},
    ],
    ['with the defaults of an installation', on, { minLength: 8, minCharacterTypes: 3 }],
    [
      'with rules',
      {
        ...on,
        passwordMinLength: '12',
        passwordMinAlphas: '2',
        passwordMinUppers: '1',
        passwordMinLowers: '1',
        passwordMinDigits: '2',
        passwordMinSpecials: '1',
        passwordMinCategories: '4',
        passwordMaxRepeats: '2',
      },
      {
        minLength: 12,
        ...{ minAlpha: 2, minUpper: 1, minLower: 1, minNumeric: 2, minSpecial: 1 },
        ...{ minCharacterTypes: 4, maxRepeatedChars: 2 },
      },
    ],
    [
      'with a history',
      { ...on, passwordHistory: 'on', passwordInHistory: '4', passwordMinAge: '86400' },
      { minLength: 8, minCharacterTypes: 3, history: 4, minAgeSeconds: 86_400 },
    ],
    [
      'with a history that is switched off',
      { ...on, passwordHistory: 'off', passwordInHistory: '4' },
      { minLength: 8, minCharacterTypes: 3 },
    ],
  ])('the configuration %s is translated into a policy', (_title, entry, expected) => {
    expect(policyOf389(entry)).toEqual(
      expected === null ? null : { ...asksNothing, name: 'the server', ...expected },
    );
  });
});
