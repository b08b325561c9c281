import { randomUUID } from 'node:crypto';
import { APP, type EntraVendor, READER, TENANT } from '../support/vendors/entra';
import { because, type Subject, type TestAccount } from './conformance/subject';
import { methodsOf, seenRequests } from './recorders';
import { unique } from './sql-admin';

export function entraSubject(vendor: () => EntraVendor): Subject {
  const user = ({ ref }: TestAccount) => {
    const found = vendor().users.get(ref.nativeId ?? '');
    if (found === undefined) throw new Error('No such user');
    return found;
  };
  const added = (name: string): TestAccount => {
    const password = unique('First');
    const person = vendor().addUser(unique('mail'), password);
    person.userPrincipalName = name;
    return { ref: { name, nativeId: person.id }, password, key: person.mail };
  };
  const remove = async ({ ref }: TestAccount) => {
    vendor().users.delete(ref.nativeId ?? '');
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
      'a write after a forced change keeps it in force':
        'Graph does not show a forced change, so a new password ends it',
      'another account that has got the id of the account is not written':
        'Entra never uses an object id again',
      'the account with which Lockstep signs in is refused as a target':
        'Lockstep signs in as an app registration, which is no user',
      ...because('Entra has no way to verify a password', [
        'verify answers holds for the right password and differs for another one',
        'verify answers holds for a written password and differs for the old one',
        'a verification right after a write distinguishes the written password',
        'verify never answers differs for the new password of a disabled account',
        'verify never answers differs for the new password of a locked account',
        'verify answers holds for an account that must change its password',
        'a verification does not disturb the next one, of the same or another account',
        'verify makes exactly one login',
        'verify answers inconclusive with no_account for an account that does not exist',
        'verify answers inconclusive with unreachable if the server is down',
      ]),
      ...because('Entra does not show locks', [
        'a write changes nothing else of a locked account',
        'state shows a locked account as locked and not as disabled',
      ]),
      ...because('Entra does not show a forced change', [
        'a write changes nothing else of a must-change account',
        'state shows that an account must change its password',
      ]),
    },
    account: async () => added(`${unique('person')}@example.com`),
    absent: (text) => ({ name: text, nativeId: `${text}-${randomUUID()}` }),
    findBy: 'mail',
    logsIn: async ({ ref }, password) => vendor().passwords.get(ref.nativeId ?? '') === password,
    entry: async (account) => ({ ...user(account) }),
    mayChange: ['lastPasswordChangeDateTime'],
    acts: { 'force-change': ['mustChange'] },
    mustChange: async (account) => user(account).mustChange,
    refusals: [{ title: 'a password that is too short', password: 'Xq7!z', reason: 'policy' }],
    http: {
      answering: (change) => vendor().answering(change),
      emptyIsSuccess: true,
      ofAnother: (document) =>
        'accountEnabled' in document ? { ...document, id: randomUUID() } : null,
    },
    disable: async (account) => {
      user(account).accountEnabled = false;
    },
    async rename(account) {
      const name = `${unique('renamed')}@example.com`;
      user(account).userPrincipalName = name;
      return { ...account, ref: { ...account.ref, name } };
    },
    remove,
    create: async (name) => added(name),
    spellings: (name) => [name.toUpperCase()],
    async unreadable() {
      const account = added(`${unique('unreadable')}@example.com`);
      Object.assign(user(account), { userPrincipalName: null });
      return { shown: account.ref.nativeId ?? '', remove: () => remove(account) };
    },
    proved: { requests: ['GET', 'PATCH'], record: seenRequests(() => methodsOf(vendor().seen)) },
    provable: { disabled: 'inconclusive', locked: 'inconclusive' },
  };
}
