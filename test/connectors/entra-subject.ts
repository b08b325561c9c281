import { randomUUID } from 'node:crypto';
import { APP, type EntraVendor, READER, TENANT } from '../support/vendors/entra';
import type { Subject, TestAccount } from './conformance/subject';
import { because, unique } from './sql-admin';

export function entraSubject(vendor: () => EntraVendor): Subject {
  const user = ({ ref }: TestAccount) => {
    const found = vendor().users.get(ref.nativeId ?? '');
    if (found === undefined) throw new Error('No such user');
    return found;
  };
  return {
    title: 'entra',
    kind: 'entra',
    get server() {
      return vendor().address;
    },
    settings: ({ port }) => ({
      tenant: TENANT,
      clientId: APP,
      clientSecret: '${file:secret}',
      graphUrl: `https://localhost:${port}`,
      loginUrl: `https://localhost:${port}`,
      ca: vendor().caFile,
      allowPrivateAddresses: ['localhost'],
    }),
    get secrets() {
      return { '${file:secret}': vendor().clientSecret, '${file:wrong}': 'no-secret-of-anybody' };
    },
    hasty: { timeoutMs: 500 },
    get wrong() {
      return {
        authority: { ca: vendor().otherCaFile },
        hostName: { serverName: 'somebody.else.test' },
        servicePassword: { clientSecret: '${file:wrong}' },
        rights: { clientId: READER },
        plaintext: { graphUrl: 'http://localhost:1' },
      };
    },
    skips: {
      ...because('Entra has no way to prove a password', [
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
      ...because('Entra does not show its lock', [
        'a write changes nothing else of a locked account',
        'state: a locked account is locked, not disabled',
      ]),
      ...because('Entra does not show a forced change', [
        'a write changes nothing else of a must-change account',
        'state: an account that must change its password says so',
      ]),
    },
    async account() {
      const password = unique('First');
      const { id, userPrincipalName, mail } = vendor().addUser(unique('person'), password);
      return { ref: { name: userPrincipalName, nativeId: id }, password, key: mail };
    },
    absent: (text) => ({ name: text, nativeId: `${text}-${randomUUID()}` }),
    findBy: 'mail',
    logsIn: async ({ ref }, password) => vendor().passwords.get(ref.nativeId ?? '') === password,
    entry: async (account) => ({ ...user(account) }),
    mayChange: ['lastPasswordChangeDateTime'],
    refusals: [{ title: 'a password that is too short', password: 'Xq7!z', reason: 'policy' }],
    disable: async (account) => {
      user(account).accountEnabled = false;
    },
    async rename(account) {
      const name = `${unique('renamed')}@example.com`;
      user(account).userPrincipalName = name;
      return { ...account, ref: { ...account.ref, name } };
    },
    provable: { disabled: 'inconclusive', locked: 'inconclusive' },
  };
}
