import type { Client } from 'ldapts';
import { directorySchemes } from '../../connectors/ldap/schemes';
import { ssha } from '../../local/slapd';
import { Secret } from '../../model/passwords/secret';
import type { Settings, Subject, TestAccount } from './conformance/subject';
import {
  type DirectoryAdmin,
  directoryAdmin,
  entryUuidOf,
  newDirectoryClient,
  personAttributes,
  uniqueName,
} from './directory-admin';
import { directorySubject } from './directory-subject';

/** The administrator of one suffix of the test server. */
export interface LdapAdmin extends DirectoryAdmin {
  /** Creates a password policy for `pwdPolicySubentry` of an account. @returns its DN */
  readonly addPolicy: (attributes: Readonly<Record<string, string>>) => Promise<string>;
}

export async function ldapAdmin(suffix: string): Promise<LdapAdmin> {
  const admin = await directoryAdmin({
    ...{ server: 'slapd', bindDn: `cn=admin,${suffix}`, people: `ou=people,${suffix}`, rdn: 'uid' },
    attributesOf: (uid, password) => personAttributes(uid, ssha(Secret.fromText(password))),
    nativeIdOf: entryUuidOf,
  });
  return {
    ...admin,
    async addPolicy(attributes) {
      const cn = uniqueName('policy');
      const dn = `cn=${cn},ou=policies,${suffix}`;
      await admin.client.add(dn, {
        ...{ objectClass: ['device', 'pwdPolicy'], cn, pwdAttribute: 'userPassword' },
        ...attributes,
      });
      return dn;
    },
  };
}

export const newClient = (): Client => newDirectoryClient('slapd');

/** What the server notes about each write. */
const BOOKKEEPING = ['entryCSN', 'modifyTimestamp', 'modifiersName'];

interface Variant {
  readonly title: string;
  readonly suffix: string;
  readonly changes: Settings;
  readonly skips?: Subject['skips'];
}

/** OpenLDAP with one suffix and one set of settings. */
export function ldapSubject({ title, suffix, changes, skips = {} }: Variant): Subject {
  let administrator: Promise<LdapAdmin> | undefined;
  const admin = () => {
    administrator ??= ldapAdmin(suffix);
    return administrator;
  };
  afterAll(async () => (await administrator)?.close());
  const under = async (policy: Record<string, string>) =>
    (await admin()).addAccount({ pwdPolicySubentry: await (await admin()).addPolicy(policy) });

  return directorySubject({
    ...{ kind: 'ldap', name: 'slapd', title, admin, rdn: 'uid', findBy: 'uid', skips },
    people: () => `ou=people,${suffix}`,
    service: (name) => ({
      bindDn: `cn=${name},ou=services,${suffix}`,
      bindPassword: `\${file:${name}}`,
    }),
    services: ['lockstep', 'reader', 'manager'],
    more: () => changes,
    mayChange: [
      ...['userPassword', 'pwdChangedTime', 'pwdHistory'],
      // A password change resets the failed logins, and the overlay does not allow to write them back.
      'pwdFailureTime',
      ...BOOKKEEPING,
    ],
    stored: ({ userPassword }) => String(userPassword),
    hashes: {
      schemes: directorySchemes,
      settings: (scheme) => ({ hashes: [scheme] }),
      provable: true,
      account: () => under({ pwdCheckQuality: '1' }),
    },
    refusals: refusals(under),
    requests:
      changes.write === 'modify' ? ['modify', 'bind'] : ['search', 'exop', 'search', 'bind'],
    acts: {
      unlock: ['pwdAccountLockedTime', 'pwdFailureTime', ...BOOKKEEPING],
      'force-change': ['pwdReset', ...BOOKKEEPING],
    },
    disabledBy: ['pwdAccountLockedTime', '000001010000Z'],
    requireChange: async (account) => (await admin()).replace(account, 'pwdReset', 'TRUE'),
    unreadable: { cn: 'before\0after' },
    provable: { disabled: 'inconclusive', locked: 'inconclusive' },
    failuresIn: ({ pwdFailureTime = [] }) => [pwdFailureTime].flat().length,
  });
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
    title: 'a password in pwdHistory',
    password: 'Once-was-mine-1!',
    after: ['Once-was-mine-1!', 'Then-came-this-2!'],
    reason: 'policy_history',
  },
  {
    title: 'a password that looks like a hash, under a policy that checks quality,',
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
    title: 'a write under a policy that requires the old password',
    password: 'Without-the-old-1!',
    reason: 'not_supported',
    account: () => under({ pwdSafeModify: 'TRUE' }),
  },
];
