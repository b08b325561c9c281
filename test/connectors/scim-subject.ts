import { randomUUID } from 'node:crypto';
import { SCIM_READER, SCIM_TOKEN, type ScimVendor } from '../support/vendors/scim';
import type { Subject, TestAccount } from './conformance/subject';
import { because, unique } from './sql-admin';

export function scimSubject(vendor: () => ScimVendor, write: 'path' | 'value'): Subject {
  const user = ({ ref }: TestAccount) => {
    const found = vendor().users.get(ref.nativeId ?? '');
    if (found === undefined) throw new Error('No such user');
    return found;
  };
  return {
    title: `scim (${write})`,
    kind: 'scim',
    get server() {
      return vendor().address;
    },
    settings: ({ port }) => ({
      url: `https://localhost:${port}/scim/v2`,
      ca: vendor().caFile,
      token: '${file:token}',
      allowPrivateAddresses: ['127.0.0.0/8', '::1'],
      ...(write === 'value' && { write }),
    }),
    secrets: {
      '${file:token}': SCIM_TOKEN,
      '${file:reader}': SCIM_READER,
      '${file:wrong}': 'no-token-of-anybody',
    },
    hasty: { timeoutMs: 500 },
    get wrong() {
      return {
        authority: { ca: vendor().otherCaFile },
        hostName: { serverName: 'somebody.else.test' },
        servicePassword: { token: '${file:wrong}' },
        rights: { token: '${file:reader}' },
        plaintext: { url: 'http://localhost:1/scim/v2' },
      };
    },
    skips: {
      ...because('SCIM has no way to prove a password', [
        'verify: the right password holds, another one differs',
        'verify: after a write the new password holds and the old one differs',
        'verify: the new password of a disabled account is never said to differ',
        'verify: the new password of a locked account is never said to differ',
        'verify: a must-change account holds its password',
        'verify: a proof does not disturb the next one, whoever it is for',
        'verify: makes one login, not more',
        'verify: an account that does not exist is inconclusive, no_account',
        'verify: a server that is away is inconclusive, unreachable',
      ]),
      ...because('SCIM knows no locks', [
        'a write changes nothing else of a locked account',
        'state: a locked account is locked, not disabled',
      ]),
      ...because('SCIM knows no forced change', [
        'a write changes nothing else of a must-change account',
        'state: an account that must change its password says so',
      ]),
      'state: tells when the password was changed': 'SCIM does not tell',
    },
    async account() {
      const [userName, password] = [unique('person'), unique('First')];
      const { id } = vendor().addUser(userName, password);
      return {
        ref: { name: userName, nativeId: id },
        password,
        key: `${userName}@example.com`,
      };
    },
    absent: (text) => ({ name: text, nativeId: `${text}-${randomUUID()}` }),
    findBy: 'emails.value',
    logsIn: async ({ ref }, password) => vendor().passwords.get(ref.nativeId ?? '') === password,
    entry: async (account) => ({ ...user(account) }),
    mayChange: [],
    refusals: [{ title: 'a password that is too short', password: 'Xq7!z', reason: 'policy' }],
    disable: async (account) => {
      user(account).active = false;
    },
    async rename(account) {
      const name = unique('renamed');
      user(account).userName = name;
      return { ...account, ref: { ...account.ref, name } };
    },
    provable: { disabled: 'inconclusive', locked: 'inconclusive' },
  };
}
