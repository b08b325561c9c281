import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Connector } from '../../connectors/contract';
import { encode, holds } from '../../connectors/encodings';
import { valuesOf } from '../../connectors/ldap/accounts';
import { ldapSettings } from '../../connectors/ldap/settings';
import { findSlapd } from '../../local/slapd-program';
import { readEncoded } from '../../model/hashes/encoding';
import { Secret } from '../../model/passwords/secret';
import { describeWith } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import type { Settings, TestAccount } from './conformance/subject';
import { type LdapAdmin, ldapAdmin, ldapSubject } from './ldap-subject';
import { openerOf } from './open-subject';
import { asking } from './requests';

const run = promisify(execFile);

describeWith(['slapd'], 'ldap and hashes', () => {
  const subject = ldapSubject({ title: 'ldap', suffix: suffixes.corp, changes: {} });
  const open = openerOf(subject);
  const hashing = (more: Settings = {}) => open({ hashes: ['ssha512'], ...more });
  let admin: LdapAdmin;
  beforeAll(async () => {
    admin = await ldapAdmin(suffixes.corp);
  });
  afterAll(() => admin.close());

  const made = (password: string) => encode('ssha512', Secret.fromText(password));
  const write = (connector: Connector, { ref }: TestAccount, hash: string) =>
    connector.setPassword(asking(ref, Secret.fromText(hash), 'ssha512'));
  const verify = (connector: Connector, { ref }: TestAccount, hash: string) =>
    connector.verify(asking(ref, Secret.fromText(hash), 'ssha512'));
  const lenient = () => subject.hashes?.account?.() ?? subject.account();

  // The passwords are hashed by slappasswd of OpenLDAP with its own modules.
  test.each([
    ['{SSHA}', [], 'ssha'],
    ['{SHA}', [], 'sha'],
    ['{CRYPT}', [], 'sha512-crypt'],
    ['{SSHA256}', ['pw-sha2'], 'ssha256'],
    ['{SSHA384}', ['pw-sha2'], 'ssha384'],
    ['{SSHA512}', ['pw-sha2'], 'ssha512'],
    ['{PBKDF2}', ['pw-pbkdf2'], 'pbkdf2-sha1'],
    ['{PBKDF2-SHA1}', ['pw-pbkdf2'], 'pbkdf2-sha1'],
    ['{PBKDF2-SHA256}', ['pw-pbkdf2'], 'pbkdf2-sha256'],
    ['{PBKDF2-SHA512}', ['pw-pbkdf2'], 'pbkdf2-sha512'],
    ['{ARGON2}', ['argon2'], 'argon2'],
  ] as const)('a hash %s that OpenLDAP makes is recognized', async (name, modules, scheme) => {
    const { slapd, moduleDir, env } = await findSlapd(() => {}, modules);
    const password = 'Pä$$wörd, and 日本';
    const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'lockstep-hash-')), 'password');
    writeFileSync(file, password);
    const options = [
      `module-path=${moduleDir}`,
      ...modules.map((name) => `module-load=${name}.so`),
    ];
    const format = name === '{CRYPT}' ? ['-c', '$6$%.16s'] : [];
    const shown = ['-n', '-h', name, ...format, ...options.flatMap((option) => ['-o', option])];
    const { stdout } = await run(slapd, ['-T', 'passwd', ...shown, '-T', file], { env });
    expect(readEncoded(stdout)?.scheme).toBe(scheme);
    expect(await holds(stdout, Secret.fromText(password))).toBe(true);
    expect(await holds(stdout, Secret.fromText(`${password}x`))).toBe(false);
  });

  test('a password policy that checks quality rejects a hash as such, and check warns about it', async () => {
    const [connector, account] = [await hashing(), await subject.account()];
    expect(await write(connector, account, await made('whatever'))).toEqual({
      result: 'rejected',
      reason: 'encoding_not_supported',
      vendorCode: '19/5',
    });
    expect(await subject.logsIn(account, account.password)).toBe(true);
    const finding = {
      check: 'policy',
      verdict: 'warning',
      says: expect.stringContaining('rejects hashes'),
    };
    expect(await connector.check()).toContainEqual(finding);
    expect(await (await open({})).check()).not.toContainEqual(finding);
  });

  test('a locked account stays locked when it gets a hash', async () => {
    const [connector, account] = [await hashing(), await lenient()];
    await admin.replace(account, 'pwdAccountLockedTime', '000001010000Z');
    expect(await write(connector, account, await made('whatever'))).toMatchObject({
      result: 'applied',
    });
    expect((await admin.read(account)).pwdAccountLockedTime).toBe('000001010000Z');
  });

  test('verify compares a hash if the service account may read the stored one, and is inconclusive without any right', async () => {
    const [connector, account] = [await hashing(), await lenient()];
    const hash = await made('whatever');
    await write(connector, account, hash);
    const reading = await hashing({
      bindDn: `cn=manager,ou=services,${suffixes.corp}`,
      bindPassword: '${file:manager}',
    });
    expect(await verify(reading, account, hash)).toMatchObject({ result: 'holds' });
    expect(await verify(reading, account, await made('x'))).toMatchObject({ result: 'differs' });
    const powerless = await hashing(subject.wrong.rights);
    expect(await verify(powerless, account, hash)).toMatchObject({
      result: 'inconclusive',
      reason: 'not_supported',
    });
  });

  test('verify of a hash answers inconclusive with no_account for an account that does not exist', async () => {
    const absent = { ref: subject.absent('nobody'), password: '', key: '' };
    expect(await verify(await hashing(), absent, await made('x'))).toMatchObject({
      result: 'inconclusive',
      reason: 'no_account',
    });
  });

  test('userPassword;binary, as IBM directories return it, means userPassword', () => {
    const needed = {
      url: 'ldaps://directory.example.com',
      bindDn: 'cn=lockstep',
      bindPassword: '${file:service}',
      base: 'dc=example,dc=com',
    };
    const attributeOf = (passwordAttribute?: string) =>
      ldapSettings.parse({ ...needed, passwordAttribute }).passwordAttribute;
    expect(attributeOf()).toBe('userPassword');
    expect(attributeOf('userPassword;binary')).toBe('userPassword');
    expect(attributeOf('secretAttribute')).toBe('secretAttribute');
    const entry = { dn: 'cn=x', 'userPassword;binary': [Buffer.from('{SSHA}x')] };
    expect(valuesOf(entry, 'userPassword').map(String)).toEqual(['{SSHA}x']);
  });
});
