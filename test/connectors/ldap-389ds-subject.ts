import type { Client } from 'ldapts';
import { directorySchemes } from '../../connectors/ldap/schemes';
import { managerDn } from '../../local/ds389';
import { ds389Suffix } from '../support/servers/ds389';
import { until } from '../support/until';
import type { Settings, Subject, TestAccount } from './conformance/subject';
import {
  type Attributes,
  type DirectoryAdmin,
  directoryAdmin,
  entryUuidOf,
  newDirectoryClient,
  personAttributes,
  uniqueName,
} from './directory-admin';
import { directorySubject } from './directory-subject';

/** The Directory Manager of the test server. */
export interface Ds389Admin extends DirectoryAdmin {
  /** Creates a password policy for `pwdPolicySubentry` of an account. @returns its DN */
  readonly addPolicy: (attributes: Attributes) => Promise<string>;
  /** Logs in as the account. @returns the result code of the login, 0 for success */
  readonly logIn: (account: TestAccount, password: string) => Promise<number>;
  /** Logs in as the account and reads its own entry. @returns the result code, 0 for success */
  readonly readsItself: (account: TestAccount, password: string) => Promise<number>;
}

const people = `ou=people,${ds389Suffix}`;

/** Operational attributes, which the server returns only if they are requested by name. */
const operational = [
  ...['entryUUID', 'nsUniqueId', 'nsAccountLock', 'pwdReset', 'pwdUpdateTime', 'passwordHistory'],
  ...['passwordRetryCount', 'accountUnlockTime', 'retryCountResetTime', 'passwordExpirationTime'],
  ...['passwordGraceUserTime', 'passwordExpWarned', 'passwordAllowChangeTime'],
];

export async function ds389Admin(): Promise<Ds389Admin> {
  const admin = await directoryAdmin({
    ...{ server: 'ds389', bindDn: managerDn, people, rdn: 'uid' },
    attributesOf: (uid, password) => ({
      ...personAttributes(uid, password),
      // The values that a first change would write. Without them passwordMustChange forces a change.
      ...{ passwordExpirationTime: '19700101000001Z', passwordRetryCount: '0' },
    }),
    nativeIdOf: entryUuidOf,
    shown: { attributes: ['*', '+', ...operational] },
  });
  return {
    ...admin,
    async addPolicy(attributes) {
      const dn = `cn=${uniqueName('policy')},${people}`;
      await admin.client.add(dn, {
        objectClass: ['ldapSubEntry', 'passwordPolicy'],
        ...attributes,
      });
      return dn;
    },
    logIn: (account, password) => resultCode(account, password, async () => {}),
    readsItself: (account, password) =>
      resultCode(account, password, (person) => person.search(account.ref.name, { scope: 'base' })),
  };
}

async function resultCode(
  { ref }: TestAccount,
  password: string,
  request: (person: Client) => Promise<unknown>,
): Promise<number> {
  const person = newDirectoryClient('ds389');
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

export const ds389Service = (name: string): Settings => ({
  bindDn: `cn=${name},ou=services,${ds389Suffix}`,
  bindPassword: `\${file:${name}}`,
});

/** 389 Directory Server. */
export const ds389Subject = (admin: () => Promise<Ds389Admin>): Subject =>
  directorySubject({
    ...{ kind: 'ldap', name: 'ds389', admin, rdn: 'uid', findBy: 'uid' },
    title: 'ldap on 389 Directory Server',
    people: () => people,
    service: ds389Service,
    services: ['lockstep', 'reader', 'writer', 'manager', 'unaware'],
    mayChange: [
      ...['userPassword', 'passwordHistory', 'pwdUpdateTime', 'modifyTimestamp', 'modifiersName'],
      // The server shows a reset here, but decides by passwordExpirationTime, and lets no client write it.
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
    acts: {
      unlock: ['passwordRetryCount', 'modifyTimestamp', 'modifiersName'],
      'force-change': ['passwordExpirationTime', 'modifyTimestamp', 'modifiersName'],
    },
    requests: ['search', 'modify', 'bind'],
    disabledBy: ['nsAccountLock', 'true'],
    async requireChange(account) {
      await (await admin()).replace(account, 'userPassword', account.password);
      // The server records the reset a moment after its reply.
      await until(async () => (await (await admin()).read(account)).pwdReset === 'TRUE');
    },
    unreadable: { cn: 'before\0after' },
    provable: { disabled: 'inconclusive', locked: 'inconclusive' },
    failuresIn: ({ passwordRetryCount }) => Number(passwordRetryCount ?? 0),
  });

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
    title: 'a password in passwordHistory',
    password: 'Once-was-mine-1!',
    reason: 'policy_history',
    async account() {
      const directory = await admin();
      const account = await directory.addAccount({ userPassword: 'Once-was-mine-1!' });
      await directory.replace(account, 'userPassword', account.password);
      // The server records the old password a moment after its reply.
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
