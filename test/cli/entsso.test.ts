import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readApplicationsXml } from '../../cli/entsso/applications-xml';
import { readMappingsXml } from '../../cli/entsso/mappings-xml';
import { readSystemXml } from '../../cli/entsso/system-xml';
import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { applyConfiguration } from '../../store/configuration/versions';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { refusalOf } from './refusal';
import { lockstepAt } from './run-cli';

const mainframe = {
  kind: 'postgres-role',
  settings: {
    ...{ host: 'mainframe.example.com', user: 'lockstep', database: 'postgres' },
    password: '${file:/run/secrets/mainframe}',
  },
};
const configuration = configurationSchema.parse({
  version: 1,
  sources: { mainframe },
  applications: { 'old-reports': { source: 'mainframe' } },
});

const applicationsXml = `<?xml version="1.0" encoding="UTF-8"?>
<SSO>
  <application name="SAP Prod">
    <description>An SAP system &amp; more</description>
    <contact>someone@example.com</contact>
    <appUserAccount>CORP\\SAP Users</appUserAccount>
    <APPADMINACCOUNT>CORP\\SAP Admins</APPADMINACCOUNT>
    <field ordinal="1" label="Password" masked="yes"/>
    <field ordinal="0" label="User Id" masked="no"/>
    <flags groupApp="no" configStoreApp="no" allowTickets="yes" validateTickets="no" timeoutTickets="no"
      allowLocalAccounts="no" adminAccountSame="yes" enableApp="no"/>
    <flags hostInitiatedSSO="yes" validatePassword="yes" disableCredCache="yes"/>
  </application>
  <application name="Old_Reports"/>
  <application name="Settings"><flags configStoreApp="yes"/></application>
  <application name="Shared"><flags groupApp="YES"/></application>
  <application name="Three">
    <field ordinal="0" label="User" masked="no"/><field ordinal="1" label="PIN" masked="yes"/>
    <field ordinal="2" label="Password" masked="yes"/>
  </application>
</SSO>`;

const mapping = (user: string, external: string, domain = 'CORP') => `
  <mapping><WindowsDomain>${domain}</WindowsDomain><windowsUserId>${user}</windowsUserId>
    <externalApplication>Old_Reports</externalApplication><externalUserId>${external}</externalUserId></mapping>`;

const systemXml = `<sso><globalnfo>
  <ssoAdminAccount>CORP\\SSO Admins</ssoAdminAccount><secretServer>ESSO01</secretServer>
  <auditCredentialLookups>1000</auditCredentialLookups><ticketTimeout>5</ticketTimeout>
  <credCacheTimeout>30</credCacheTimeout></globalnfo></sso>`;

describeWith(['postgres'], 'a file of ENTSSO', () => {
  let api: TestApi;
  let dir: string;
  const run = lockstepAt(() => api);
  const file = (content: string | Buffer, name = 'entsso.xml'): string => {
    const full = path.join(dir, name);
    writeFileSync(full, content);
    return full;
  };
  const inForce = async () =>
    (await api.send('GET', '/v1/configuration')).body.configuration as typeof configuration;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-entsso-'));
    api = await startTestApi();
    await applyConfiguration(api.database.db, configuration, 0, 'test', accountRulesOf);
    for (const person of ['alice', 'bob']) await addPerson(api.database.db, person, ['mainframe']);
  });
  afterAll(async () => {
    await api.stop();
    rmSync(dir, { recursive: true });
  });

  test('lockstep applications import shows what each part of the file becomes, and creates what has a counterpart', async () => {
    const xml = file(applicationsXml);
    const without = await run(['applications', 'import', xml, '--dry-run']);
    expect([without.code, without.stderr]).toEqual([
      2,
      expect.stringContaining('--source sap-prod='),
    ]);
    const preview = await run([
      'applications',
      'import',
      xml,
      '--source',
      'mainframe',
      '--dry-run',
    ]);
    expect(preview.code).toBe(0);
    for (const line of [
      /^line 3: SAP Prod → applications\.sap-prod$/m,
      /^line 3: SAP Prod: contact no counterpart\. /m,
      /^line 3: SAP Prod: timeouttickets no counterpart\. /m,
      /^line 3: SAP Prod: adminaccountsame no counterpart\. /m,
      /^line 3: SAP Prod: CORP\\SAP Users → peopleGroups\.sap-users\. Its members are not in the file/m,
      /^line 14: Old_Reports no counterpart\. There is an application "old-reports" already/m,
      /^line 15: Settings no counterpart\. /m,
      /^line 16: Shared no counterpart\. .*"shared"/m,
      /^line 17: Three no counterpart\. It is not clear which field holds the password/m,
      /^\+ applications\.sap-prod$/m,
    ])
      expect(preview.stdout).toMatch(line);
    expect(await inForce()).toEqual(configuration);

    const args = ['applications', 'import', xml, '--source', 'SAP Prod=mainframe', '--yes'];
    const applied = await run([...args, '-o', 'json']);
    expect([applied.code, JSON.parse(applied.stdout).version]).toEqual([0, 2]);
    expect((await inForce()).applications['sap-prod']).toMatchObject({
      ...{ source: 'mainframe', label: 'An SAP system & more', enabled: false },
      fields: [
        { name: 'user-id', label: 'User Id', masked: false, synced: false },
        { name: 'password', label: 'Password', masked: true, synced: true },
      ],
      tickets: { allowed: true, validated: false },
      ...{ hostInitiated: true, credentialCache: false, administratorAccountsSame: false },
      users: { identities: [], groups: ['sap-users'] },
      administrators: { identities: [], groups: ['sap-admins'] },
    });
    // A group without members lets no one use the application, instead of everyone.
    expect((await inForce()).peopleGroups['sap-users']).toEqual({ identities: [], attributes: {} });
    expect((await run([...args])).stdout).toMatch(/^Nothing to do/m);
  });

  test('lockstep mappings import reads the mappings of one Windows domain, and creates them disabled', async () => {
    const xml = file(`<sso>${mapping('ALICE', 'alice')}${mapping('bob', 'B0B')}</sso>`);
    const { code, stdout, stderr } = await run(['mappings', 'import', xml, '--link', '--yes']);
    expect([code, stderr]).toEqual([
      0,
      'The application "Old_Reports" is called "old-reports" here.\n',
    ]);
    expect(stdout).toMatch(/^5 +bob +old-reports +B0B +the account is linked as well$|^4 +bob/m);
    expect(stdout).toMatch(/^2 created\.$/m);
    const { stdout: listed } = await run(['mappings']);
    expect(listed).toMatch(/^alice +old-reports +mainframe +alice +disabled$/m);
    expect(listed).toMatch(/^bob +old-reports +mainframe +B0B +disabled$/m);

    const domains = file(`<SSO>${mapping('bob', 'b')}${mapping('bob', 'c', 'EAST')}</SSO>`);
    const several = await run(['mappings', 'import', domains, '--dry-run']);
    expect([several.code, several.stderr]).toEqual([2, expect.stringContaining('corp, east')]);
    const one = await run(['mappings', 'import', domains, '--domain', 'EAST', '--dry-run']);
    expect(one.stdout).toMatch(/another mapping of this application/);
  });

  test('lockstep sso import sets the timeouts, and shows what has no counterpart', async () => {
    const { code, stdout } = await run(['sso', 'import', file(systemXml), '--yes']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/ticketTimeout|tickettimeout → sso\.ticketTimeoutSeconds = 300/);
    expect(stdout).toMatch(/secretserver no counterpart\. .*lockstep sso secret status/);
    expect((await inForce()).sso).toMatchObject({
      ...{ ticketTimeoutSeconds: 300, credentialCacheMinutes: 30 },
    });
    const far = systemXml.replace('>30<', '>99999<');
    const refused = await run(['sso', 'import', file(far), '--yes']);
    expect([refused.code, (await inForce()).sso.credentialCacheMinutes]).toEqual([1, 30]);
  });
});

describe('a hostile file of ENTSSO', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-entsso-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));
  const file = (content: string | Buffer): string => {
    const full = path.join(dir, 'hostile.xml');
    writeFileSync(full, content);
    return full;
  };

  const bomb = `<!DOCTYPE sso [<!ENTITY a "Tulip-7"><!ENTITY b "${'&a;'.repeat(50)}">]>
    <sso><mapping><windowsUserId>&b;</windowsUserId></mapping></sso>`;
  test.each<[string, string | Buffer, string]>([
    ['entities that grow', bomb, 'has a document type'],
    [
      'an entity of another file',
      '<!DOCTYPE sso SYSTEM "file:///etc/passwd"><sso/>',
      'document type',
    ],
    ['an unknown entity', '<sso><mapping>&Tulip-7;</mapping></sso>', 'not well-formed'],
    [
      'a password',
      '<sso><mapping><externalPassword>Tulip-7</externalPassword></mapping></sso>',
      'looks like a password',
    ],
    ['a password in an attribute', '<sso><mapping PWD="Tulip-7"/></sso>', 'looks like a password'],
    ['no end', '<sso><mapping><windowsUserId>Tulip-7', 'not well-formed'],
    [
      'a declared encoding that is not UTF-8',
      '<?xml version="1.0" encoding="utf-16"?><sso/>',
      'another encoding',
    ],
    ['UTF-16', Buffer.from('\ufeff<sso>Tulip-7</sso>', 'utf16le'), 'UTF-8'],
    ['bytes that are no text', Buffer.from([0x3c, 0x73, 0xff, 0xfe]), 'UTF-8'],
    ['too many levels', `<sso>${'<a>'.repeat(100)}`, 'more elements'],
    ['too many bytes', `<sso>${' '.repeat(9 * 1024 * 1024)}</sso>`, 'more than 8 MB'],
    ['another kind of document', '<html><body>Tulip-7</body></html>', 'not a file of ENTSSO'],
    [
      'no user',
      '<sso><mapping><externalApplication>Tulip-7</externalApplication></mapping></sso>',
      'line 1',
    ],
    [
      'an element twice',
      `<sso>${mapping('a', 'b').replace('</mapping>', '<windowsUserId>Tulip-7</windowsUserId></mapping>')}</sso>`,
      'a second time',
    ],
  ])('with %s is refused without a word of its text', (_what, content, says) => {
    const refused = refusalOf(() => readMappingsXml(file(content), undefined));
    expect(refused).toContain(says);
    expect(refused).not.toContain('Tulip-7');
  });
});

describe('an application in a file of ENTSSO', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-entsso-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const read = (content: string, peopleGroups = {}) => {
    const full = path.join(dir, 'applications.xml');
    writeFileSync(full, `<sso>${content}</sso>`);
    return readApplicationsXml(full, { applications: {}, peopleGroups }, () => 'mainframe');
  };
  const one = (inside: string, name = 'SAP') =>
    `<application name="${name}">${inside}</application>`;
  const users = (group: string) => `<appUserAccount>${group}</appUserAccount>`;
  const field = (ordinal: string, label: string, masked = 'no') =>
    `<field ordinal="${ordinal}" label="${label}" masked="${masked}"/>`;

  test('an application that the file does not enable is created disabled', () => {
    const { applications, becomes } = read(
      one(users('A\\U')) + one('<flags enableApp="yes"/>', 'B'),
    );
    expect(applications).toMatchObject({ sap: { enabled: false }, b: { enabled: true } });
    expect(becomes).toContainEqual(
      expect.objectContaining({ from: 'SAP: enableApp', to: 'enabled = false' }),
    );
  });

  test.each(['', users('CORP\\日本')])(
    'an application whose file names no usable group of users is for no one: %s',
    (inside) => {
      const { applications, peopleGroups, becomes } = read(one(inside));
      expect(applications).toMatchObject({ sap: { users: { groups: ['sap-users'] } } });
      expect(peopleGroups).toEqual({ 'sap-users': {} });
      expect(becomes).toContainEqual(expect.objectContaining({ to: 'peopleGroups.sap-users' }));
    },
  );

  test('two groups that would have one name are refused, and the same group is one', () => {
    const same = read(one(users('A\\Users'), 'One') + one(users('a\\users'), 'Two'));
    expect(same.peopleGroups).toEqual({ users: {} });
    for (const [first, second] of [
      ['A\\Users', 'B\\Users'],
      ['A\\App Users', 'A\\App-Users'],
    ] as const)
      expect(refusalOf(() => read(one(users(first), 'One') + one(users(second), 'Two')))).toContain(
        'both would be the group',
      );
  });

  test('a group of people that exists is used with its members, and reported', () => {
    const existing = { users: { identities: ['alice'], attributes: {} } };
    const { peopleGroups, becomes } = read(one(users('A\\Users')), existing);
    expect(peopleGroups).toEqual({});
    expect(becomes).toContainEqual(
      expect.objectContaining({ to: 'peopleGroups.users', says: expect.stringMatching(/exists/) }),
    );
  });

  test('two applications that would have one name become one application', () => {
    const { applications, becomes } = read(one('', 'SAP Prod') + one('', 'SAP-Prod'));
    expect(Object.keys(applications)).toEqual(['sap-prod']);
    expect(becomes.at(-1)).toMatchObject({
      ...{ from: 'SAP-Prod', to: null },
      says: expect.stringContaining('Another application of the file'),
    });
  });

  test('an application with a Windows account is a host group of this person', () => {
    const account = '<windowsAccount>CORP\\svc.host</windowsAccount>';
    const { applications } = read(one(`${account}<flags enableApp="yes"/>`));
    expect(applications.sap).toMatchObject({
      ...{ type: 'host-group', windowsInitiated: false, hostInitiated: true },
      users: { identities: ['svc.host'] },
    });
  });

  test.each(['allowTickets="true"', 'enableApp=""', 'unknown="1"'])(
    'a flag that is neither yes nor no is refused: %s',
    (flag) => {
      expect(refusalOf(() => read(one(`<flags ${flag}/>`)))).toContain('neither yes nor no');
    },
  );

  test.each([
    ['only a user id', field('0', 'User')],
    ['two fields of one name', field('0', 'User') + field('1', 'user', 'yes')],
    ['two fields of one ordinal', field('0', 'User') + field('0', 'Password', 'yes')],
    ['a field without an ordinal', field('', 'User') + field('1', 'Password', 'yes')],
    [
      'only a masked user id of three fields',
      field('0', 'User', 'yes') + field('1', 'A') + field('2', 'B'),
    ],
  ])('an application with %s is skipped, and the others are created', (_what, fields) => {
    const { applications, becomes } = read(one(fields) + one('', 'Other'));
    expect(Object.keys(applications)).toEqual(['other']);
    expect(becomes[0]).toMatchObject({ from: 'SAP', to: null });
  });

  test('a file of another kind is refused, and shows nothing of it as an application', () => {
    expect(refusalOf(() => read(mapping('alice', 'a')))).toContain('has no application');
    const full = path.join(dir, 'system.xml');
    writeFileSync(full, `<sso>${mapping('alice', 'a')}</sso>`);
    expect(refusalOf(() => readSystemXml(full))).toContain('has no "globalInfo"');
  });

  test('mappings of two applications that would have one name are refused', () => {
    const full = path.join(dir, 'mappings.xml');
    const other = mapping('bob', 'b').replace('Old_Reports', 'Old Reports');
    writeFileSync(full, `<sso>${mapping('alice', 'a')}${other}</sso>`);
    expect(refusalOf(() => readMappingsXml(full, undefined))).toContain('both would be');
  });
});
