import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client } from 'ldapts';
import { directorySchemes } from '../../connectors/ldap/schemes';
import { managerDn } from '../../local/ds389';
import { server } from '../support/servers';
import { ds389Suffix } from '../support/servers/ds389';
import { until } from '../support/until';
import type { Settings, Subject, TestAccount } from './conformance/subject';
import { type DirectoryAdmin, directoryAdmin } from './directory-admin';

type Attributes = Readonly<Record<string, string>>;

/** The Directory Manager of the test server: whatever the connector did, he sees it. */
export interface Ds389Admin extends Omit<DirectoryAdmin, 'logsIn'> {
  readonly addAccount: (attributes?: Attributes) => Promise<TestAccount>;
  /** A policy of its own, for `pwdPolicySubentry` of an account. */
  readonly addPolicy: (attributes: Attributes) => Promise<string>;
  /** What a login hears: 0 is success. */
  readonly logIn: (account: TestAccount, password: string) => Promise<number>;
  /** What whoever logs in hears when he looks at himself. */
  readonly reads: (account: TestAccount, password: string) => Promise<number>;
}

const unique = (prefix: string) => `${prefix}${randomBytes(6).toString('hex')}`;
const people = `ou=people,${ds389Suffix}`;

/** It is asked for by name: it is operational. */
const operational = [
  ...['entryUUID', 'nsAccountLock', 'pwdReset', 'pwdUpdateTime', 'passwordHistory'],
  ...['passwordRetryCount', 'accountUnlockTime', 'retryCountResetTime', 'passwordExpirationTime'],
  ...['passwordGraceUserTime', 'passwordExpWarned', 'passwordAllowChangeTime'],
];

export async function ds389Admin(): Promise<Ds389Admin> {
  const client = newClient();
  await client.bind(managerDn, server('ds389').admin ?? '');
  const hands = directoryAdmin(client, newClient, { attributes: ['*', '+', ...operational] });
  return {
    ...hands,
    async addAccount(attributes = {}) {
      const uid = unique('user');
      const password = `First-${unique('')}-1!`;
      const name = `uid=${uid},${people}`;
      await client.add(name, {
        ...{ objectClass: 'inetOrgPerson', uid, cn: uid, sn: 'Test', userPassword: password },
        // What a first change would put there: passwordMustChange would force one otherwise.
        ...{ passwordExpirationTime: '19700101000001Z', passwordRetryCount: '0' },
        ...attributes,
      });
      const { entryUUID } = await hands.read({ ref: { name, nativeId: null }, password, key: uid });
      return { ref: { name, nativeId: String(entryUUID) }, password, key: uid };
    },
    async addPolicy(attributes) {
      const dn = `cn=${unique('policy')},${people}`;
      await client.add(dn, { objectClass: ['ldapSubEntry', 'passwordPolicy'], ...attributes });
      return dn;
    },
    logIn: (account, password) => heard(account, password, async () => {}),
    reads: (account, password) =>
      heard(account, password, (person) => person.search(account.ref.name, { scope: 'base' })),
  };
}

async function heard(
  { ref }: TestAccount,
  password: string,
  request: (person: Client) => Promise<unknown>,
): Promise<number> {
  const person = newClient();
  try {
    await person.bind(ref.name, password);
    await request(person);
    return 0;
  } catch (error) {
    return Number((error as { code?: number }).code ?? -1);
  } finally {
    await person.unbind();
  }
}

function newClient(): Client {
  const { url = '', caFile = '' } = server('ds389');
  return new Client({ url, tlsOptions: { ca: [readFileSync(caFile)] }, timeout: 10_000 });
}

export const ds389Service = (name: string): Settings => ({
  bindDn: `cn=${name},ou=services,${ds389Suffix}`,
  bindPassword: `\${file:${name}}`,
});

export function ds389Subject(admin: () => Promise<Ds389Admin>): Subject {
  const facts = () => server('ds389');
  return {
    title: 'ldap on 389 Directory Server',
    kind: 'ldap',
    get server() {
      return { host: '127.0.0.1', port: Number(facts().port) };
    },
    settings: ({ host, port }) => ({
      url: `ldaps://${host}:${port}`,
      ca: facts().caFile,
      base: people,
      ...ds389Service('lockstep'),
    }),
    get secrets() {
      const names = ['lockstep', 'reader', 'writer', 'manager'];
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
        rights: ds389Service('reader'),
        plaintext: { url: 'ldap://127.0.0.1:389' },
      };
    },
    skips: {},
    account: async () => (await admin()).addAccount(),
    absent: (text) => ({ name: `uid=${text},${people}`, nativeId: null }),
    findBy: 'uid',
    logsIn: async (on, password) => (await (await admin()).logIn(on, password)) === 0,
    entry: async (on) => (await admin()).read(on),
    mayChange: [
      ...['userPassword', 'passwordHistory', 'pwdUpdateTime', 'modifyTimestamp', 'modifiersName'],
      // It tells of a reset, but a login goes by passwordExpirationTime, and nobody may write it.
      'pwdReset',
      ...['passwordGraceUserTime', 'passwordExpWarned'],
    ],
    refusals: refusals(admin),
    stored: ({ userPassword }) => String(userPassword),
    hashes: {
      schemes: directorySchemes.filter((scheme) => scheme !== 'argon2'),
      settings: (scheme) => ({ hashes: [scheme] }),
      provable: false,
    },
    disable: async (on) => (await admin()).replace(on, 'nsAccountLock', 'true'),
    async lock(on) {
      for (let failures = 0; failures < 5; failures++)
        await (await admin()).logIn(on, 'not the password');
    },
    async requireChange(on) {
      await (await admin()).replace(on, 'userPassword', on.password);
      // The server says so a moment after it has answered.
      await until(async () => (await (await admin()).read(on)).pwdReset === 'TRUE');
    },
    async rename(on) {
      const key = unique('renamed');
      const name = `uid=${key},${people}`;
      await (await admin()).client.modifyDN(on.ref.name, name);
      return { ...on, key, ref: { ...on.ref, name } };
    },
    provable: { disabled: 'inconclusive', locked: 'inconclusive' },
    failedLogins: async (on) => Number((await (await admin()).read(on)).passwordRetryCount ?? 0),
  };
}

const refusals = (admin: () => Promise<Ds389Admin>): Subject['refusals'] => [
  {
    title: 'a password of fewer characters than passwordMinLength',
    password: 'Xq7!z',
    reason: 'policy_too_short',
  },
  {
    title: 'a password of fewer kinds of characters than passwordMinCategories',
    password: 'onlysmallletters',
    reason: 'policy_quality',
  },
  {
    title: 'a password of passwordHistory',
    password: 'Once-was-mine-1!',
    reason: 'policy_history',
    async account() {
      const directory = await admin();
      const account = await directory.addAccount({ userPassword: 'Once-was-mine-1!' });
      await directory.replace(account, 'userPassword', account.password);
      // The server keeps the old one a moment after it has answered.
      await until(async () => (await directory.read(account)).passwordHistory !== undefined);
      return account;
    },
  },
  {
    title: 'a password that looks like a hash',
    password: '{SSHA}mQ9vZ3cGZkQ1cGZkQ1cGZkQ1cGZkQ1cG',
    reason: 'policy_quality',
  },
  {
    title: 'a change before passwordMinAge',
    password: 'Much-too-soon-1!',
    reason: 'policy_too_young',
    async account() {
      const directory = await admin();
      const pwdPolicySubentry = await directory.addPolicy({ passwordMinAge: '3600' });
      return directory.addAccount({
        pwdPolicySubentry,
        passwordAllowChangeTime: '20991231000000Z',
      });
    },
  },
];
