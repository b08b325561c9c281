import { describeWith } from '../support/servers';
import { apachedsAdminDn, apachedsSuffix } from '../support/servers/apacheds';
import { conformance } from './conformance';
import { because, type Subject } from './conformance/subject';
import {
  type DirectoryAdmin,
  directoryAdmin,
  entryUuidOf,
  personAttributes,
} from './directory-admin';
import { directorySubject } from './directory-subject';

const people = `ou=people,${apachedsSuffix}`;

let administrator: Promise<DirectoryAdmin> | undefined;
const admin = () => {
  administrator ??= directoryAdmin({
    ...{ server: 'apacheds', bindDn: apachedsAdminDn, people, rdn: 'uid' },
    attributesOf: personAttributes,
    nativeIdOf: entryUuidOf,
  });
  return administrator;
};
afterAll(async () => (await administrator)?.close());

const subject: Subject = directorySubject({
  ...{ kind: 'ldap', name: 'apacheds', admin, rdn: 'uid', findBy: 'uid' },
  title: 'ldap on ApacheDS',
  people: () => people,
  service: (name) => ({
    bindDn: `cn=${name},ou=services,${apachedsSuffix}`,
    bindPassword: `\${file:${name}}`,
  }),
  services: ['lockstep'],
  unreadable: { cn: 'before\0after' },
  skips: because('without access control, every account may write', [
    'a write by a service account without rights is rejected with no_rights',
    'check reports missing rights',
  ]),
  // The last search looks for a forced change, which the server starts after a write if pwdMustChange is set.
  requests: ['search', 'modify', 'search', 'bind'],
  mayChange: [
    ...['userPassword', 'pwdChangedTime', 'pwdHistory', 'pwdFailureTime'],
    ...['entryCSN', 'modifyTimestamp', 'modifiersName'],
  ],
  refusals: [
    { title: 'a password that is too short', password: 'Xq7!', reason: 'policy_too_short' },
  ],
  disabledBy: ['pwdAccountLockedTime', '000001010000Z'],
  requireChange: async (account) => (await admin()).replace(account, 'pwdReset', 'TRUE'),
  provable: { disabled: 'inconclusive', locked: 'inconclusive' },
  failuresIn: ({ pwdFailureTime = [] }) => [pwdFailureTime].flat().length,
});

describeWith(['apacheds'], 'ldap on ApacheDS', () => {
  conformance(subject);
});
