import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client } from 'ldapts';
import { directorySchemes } from '../../connectors/ldap/schemes';
import { ssha } from '../../local/slapd';
import { Secret } from '../../model/passwords/secret';
import { server } from '../support/servers';
import type { Settings, Subject, TestAccount } from './conformance/subject';
import { type DirectoryAdmin, directoryAdmin } from './directory-admin';

/** The administrator of a suffix of the test server: whatever the connector did, he sees it. */
export interface LdapAdmin extends DirectoryAdmin {
  readonly addAccount: (attributes?: Readonly<Record<string, string>>) => Promise<TestAccount>;
  /** A policy of its own, for `pwdPolicySubentry` of an account. */
  readonly addPolicy: (attributes: Readonly<Record<string, string>>) => Promise<string>;
}

const unique = (prefix: string) => `${prefix}${randomBytes(6).toString('hex')}`;

export async function ldapAdmin(suffix: string): Promise<LdapAdmin> {
  const facts = server('slapd');
  const client = newClient();
  await client.bind(`cn=admin,${suffix}`, facts.admin ?? '');
  const add = async (rdn: string, attributes: Readonly<Record<string, string | string[]>>) => {
    await client.add(rdn, { ...attributes });
    return rdn;
  };
  const hands = directoryAdmin(client, newClient);
  return {
    ...hands,
    async addAccount(attributes = {}) {
      const uid = unique('user');
      const password = `First-${unique('')}-1!`;
      const name = await add(`uid=${uid},ou=people,${suffix}`, {
        objectClass: 'inetOrgPerson',
        uid,
        cn: uid,
        sn: 'Test',
        userPassword: ssha(Secret.fromText(password)),
        ...attributes,
      });
      const { entryUUID } = await hands.read({ ref: { name, nativeId: null }, password, key: uid });
      return { ref: { name, nativeId: String(entryUUID) }, password, key: uid };
    },
    addPolicy: (attributes) => {
      const cn = unique('policy');
      return add(`cn=${cn},ou=policies,${suffix}`, {
        objectClass: ['device', 'pwdPolicy'],
        cn,
        pwdAttribute: 'userPassword',
        ...attributes,
      });
    },
  };
}

export function newClient(): Client {
  const { url = '', caFile = '' } = server('slapd');
  return new Client({ url, tlsOptions: { ca: [readFileSync(caFile)] }, timeout: 5_000 });
}

interface Variant {
  readonly title: string;
  readonly suffix: string;
  readonly changes: Settings;
  readonly skips?: Subject['skips'];
}

/** OpenLDAP under one suffix, with one set of settings. */
export function ldapSubject({ title, suffix, changes, skips = {} }: Variant): Subject {
  const facts = () => server('slapd');
  const service = (name: string) => ({
    bindDn: `cn=${name},ou=services,${suffix}`,
    bindPassword: `\${file:${name}}`,
  });
  let administrator: Promise<LdapAdmin> | undefined;
  const admin = () => {
    administrator ??= ldapAdmin(suffix);
    return administrator;
  };
  afterAll(async () => (await administrator)?.close());
  const account = async (attributes: Record<string, string> = {}) =>
    (await admin()).addAccount(attributes);
  const under = async (policy: Record<string, string>) =>
    account({ pwdPolicySubentry: await (await admin()).addPolicy(policy) });
  const set = async (on: TestAccount, attribute: string, value: string) =>
    (await admin()).replace(on, attribute, value);

  return {
    title,
    kind: 'ldap',
    get server() {
      return { host: '127.0.0.1', port: Number(facts().port) };
    },
    settings: ({ host, port }) => ({
      url: `ldaps://${host}:${port}`,
      ca: facts().caFile,
      base: `ou=people,${suffix}`,
      ...service('lockstep'),
      ...changes,
    }),
    get secrets() {
      const names = ['lockstep', 'reader', 'manager'];
      return {
        ...Object.fromEntries(names.map((name) => [`\${file:${name}}`, facts()[name] ?? ''])),
        '${file:wrong}': 'not-the-password-of-it',
      };
    },
    hasty: { timeoutMs: 500 },
    get wrong() {
      return {
        authority: { ca: facts().otherCaFile },
        hostName: { serverName: 'somebody.else.test' },
        servicePassword: { bindPassword: '${file:wrong}' },
        rights: service('reader'),
        plaintext: { url: 'ldap://127.0.0.1:389' },
      };
    },
    skips,
    account,
    absent: (text) => ({ name: `uid=${text},ou=people,${suffix}`, nativeId: null }),
    findBy: 'uid',
    logsIn: async (on, password) => (await admin()).logsIn(on, password),
    entry: async (on) => (await admin()).read(on),
    mayChange: [
      'userPassword',
      'pwdChangedTime',
      'pwdHistory',
      // A password change ends a row of failed logins; the overlay lets nobody write them back.
      'pwdFailureTime',
      'entryCSN',
      'modifyTimestamp',
      'modifiersName',
    ],
    stored: ({ userPassword }) => String(userPassword),
    hashes: {
      schemes: directorySchemes,
      settings: (scheme) => ({ hashes: [scheme] }),
      provable: true,
      account: () => under({ pwdCheckQuality: '1' }),
    },
    refusals: refusals(under),
    disable: (on) => set(on, 'pwdAccountLockedTime', '000001010000Z'),
    async lock(on) {
      for (let failures = 0; failures < 5; failures++)
        await (await admin()).logsIn(on, 'not the password');
    },
    requireChange: (on) => set(on, 'pwdReset', 'TRUE'),
    async rename(on) {
      const key = unique('renamed');
      const name = `uid=${key},ou=people,${suffix}`;
      await (await admin()).client.modifyDN(on.ref.name, name);
      return { ...on, key, ref: { ...on.ref, name } };
    },
    provable: { disabled: 'inconclusive', locked: 'inconclusive' },
    failedLogins: async (on) =>
      [(await (await admin()).read(on)).pwdFailureTime ?? []].flat().length,
  };
}

const refusals = (
  under: (policy: Record<string, string>) => Promise<TestAccount>,
): Subject['refusals'] => [
  {
    title: 'a password of fewer bytes than pwdMinLength',
    password: 'Xq7!z',
    reason: 'policy_too_short',
  },
  {
    title: 'a password of more bytes than pwdMaxLength',
    password: `Aa1!${'é'.repeat(300)}`,
    reason: 'policy_too_long',
  },
  {
    title: 'a password of pwdHistory',
    password: 'Once-was-mine-1!',
    after: ['Once-was-mine-1!', 'Then-came-this-2!'],
    reason: 'policy_history',
  },
  {
    title: 'a password that looks like a hash, where quality is checked',
    password: '{SSHA}mQ9vZ3cGZkQ1cGZkQ1cGZkQ1cGZkQ1cG',
    reason: 'policy_quality',
  },
  {
    title: 'a change before pwdMinAge',
    password: 'Much-too-soon-1!',
    reason: 'policy_too_young',
    account: () => under({ pwdMinAge: '3600' }),
  },
  {
    title: 'a policy that wants the old password',
    password: 'Without-the-old-1!',
    reason: 'not_supported',
    account: () => under({ pwdSafeModify: 'TRUE' }),
  },
];
