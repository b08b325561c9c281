import { unboundidSuffix } from '../support/servers/unboundid';
import type { Settings, Subject } from './conformance/subject';
import {
  type DirectoryAdmin,
  directoryAdmin,
  entryUuidOf,
  personAttributes,
} from './directory-admin';
import { directorySubject } from './directory-subject';

const people = `ou=people,${unboundidSuffix}`;

export const unboundidAdmin = (): Promise<DirectoryAdmin> =>
  directoryAdmin({
    ...{ server: 'unboundid', bindDn: 'cn=Directory Manager', people, rdn: 'uid' },
    attributesOf: personAttributes,
    nativeIdOf: entryUuidOf,
  });

export const unboundidService = (name: string): Settings => ({
  bindDn: `cn=${name},ou=services,${unboundidSuffix}`,
  bindPassword: `\${file:${name}}`,
});

/** The in-memory server of the UnboundID LDAP SDK, with the extensions of PingDirectory. */
export const unboundidSubject = (admin: () => Promise<DirectoryAdmin>): Subject =>
  directorySubject({
    ...{ kind: 'ldap', name: 'unboundid', admin, rdn: 'uid', findBy: 'uid' },
    title: 'ldap on the directory of the UnboundID LDAP SDK',
    people: () => people,
    service: unboundidService,
    services: ['lockstep', 'reader', 'writer'],
    skips: {
      'a write changes nothing else of a locked account':
        'PingDirectory ends a lock with a new password, and it cannot be restored, so the write waits for the end of the lock',
      'verify makes exactly one login': 'the server compares the password without a login',
    },
    mayChange: ['userPassword', 'pwdChangedTime', 'modifyTimestamp', 'modifiersName'],
    refusals: [
      { title: 'a password that is too short', password: 'Xq7!z', reason: 'policy' },
      {
        title: 'a password in the history',
        password: 'Once-was-mine-1!',
        after: ['Once-was-mine-1!', 'Then-came-this-2!'],
        reason: 'policy',
      },
      {
        title: 'a password that looks like a hash, under a policy that allows hashes,',
        password: '{SSHA256}mQ9vZ3cGZkQ1cGZkQ1cGZkQ1cGZkQ1cG',
        reason: 'policy',
      },
    ],
    // The server verifies a password without a login, so the state of the account is read after it.
    requests: ['search', 'modify', 'exop', 'search'],
    disabledBy: ['ds-pwp-account-disabled', 'true'],
    // The policy of the server forces a change after a reset by an administrator.
    requireChange: async (account) =>
      (await admin()).replace(account, 'userPassword', account.password),
    unreadable: { cn: 'before\0after' },
    provable: { disabled: 'holds', locked: 'holds' },
  });
