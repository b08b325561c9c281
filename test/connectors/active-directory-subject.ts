import { userAttributes } from '../../local/domain-admin';
import { Secret } from '../../model/passwords/secret';
import { server } from '../support/servers';
import type { Subject } from './conformance/subject';
import { type DirectoryAdmin, directoryAdmin } from './directory-admin';
import { directorySubject } from './directory-subject';

/** The administrator of the test domain. */
export type DomainAdmin = DirectoryAdmin;

const facts = () => server('samba');
const COMPUTED = 'msDS-User-Account-Control-Computed';
export const people = () => `OU=people,${facts().base}`;

export const domainAdmin = (): Promise<DomainAdmin> =>
  directoryAdmin({
    ...{ server: 'samba', bindDn: facts().adminDn ?? '', people: people(), rdn: 'CN' },
    attributesOf: (key, password) => userAttributes(key, Secret.fromText(password)),
    nativeIdOf: ({ objectGUID }) => guidText(objectGUID as Buffer),
    shown: {
      attributes: ['*', COMPUTED],
      explicitBufferAttributes: ['objectGUID'],
    },
  });

/** Writes a GUID as Windows does: the first three groups are numbers with the low byte first. */
function guidText(bytes: Buffer): string {
  const number = (at: number, length: number) =>
    bytes
      .readUIntLE(at, length)
      .toString(16)
      .padStart(2 * length, '0');
  const rest = bytes.subarray(8).toString('hex');
  return [number(0, 4), number(4, 2), number(6, 2), rest.slice(0, 4), rest.slice(4)].join('-');
}

/** Samba as a domain controller. */
export const activeDirectorySubject = (admin: () => Promise<DomainAdmin>): Subject =>
  directorySubject({
    ...{ kind: 'active-directory', name: 'samba', admin, people },
    ...{ title: 'active-directory on Samba', rdn: 'CN', findBy: 'sAMAccountName' },
    service: (name) => ({
      bindDn: `CN=${name},CN=Users,${facts().base}`,
      bindPassword: `\${file:${name}}`,
    }),
    services: ['lockstep', 'writer', 'reader'],
    more: () => ({ serverName: facts().serverName }),
    // A reset takes Samba about 50 ms of CPU time.
    hasty: { timeoutMs: 1_000 },
    mayChange: ['pwdLastSet', 'whenChanged', 'uSNChanged'],
    refusals: [
      { title: 'a password that is too short', password: 'Xq7!z', reason: 'policy_too_short' },
      {
        title: 'a password of a single kind of characters',
        password: 'onlysmallletters',
        reason: 'policy_quality',
      },
    ],
    acts: {
      unlock: ['lockoutTime', 'badPwdCount', COMPUTED, 'whenChanged', 'uSNChanged'],
      'force-change': ['pwdLastSet', COMPUTED, 'whenChanged', 'uSNChanged'],
    },
    requests: ['search', 'modify', 'search', 'bind'],
    disabledBy: ['userAccountControl', '514'],
    requireChange: async (account) => (await admin()).replace(account, 'pwdLastSet', '0'),
    // A domain controller gives the reason for a refused login after it has checked the password, but checks a lock first.
    unreadable: { mail: 'before\0after' },
    provable: { disabled: 'holds', locked: 'inconclusive' },
    failuresIn: ({ badPwdCount }) => Number(badPwdCount ?? 0),
  });
