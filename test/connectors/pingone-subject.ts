import { randomUUID } from 'node:crypto';
import { pingOneSchemes } from '../../connectors/pingone/schemes';
import {
  ENVIRONMENT,
  isPassword,
  type PingOneVendor,
  READER,
  WORKER,
} from '../support/vendors/pingone';
import type { Subject, TestAccount } from './conformance/subject';
import { methodsOf, seenRequests } from './recorders';
import { unique } from './sql-admin';

export function pingOneSubject(vendor: () => PingOneVendor): Subject {
  const of = ({ ref }: TestAccount) => {
    const id = ref.nativeId ?? '';
    const [user, password] = [vendor().users.get(id), vendor().passwords.get(id)];
    if (user === undefined || password === undefined) throw new Error('No such user');
    return { user, password };
  };
  const added = (username: string): TestAccount => {
    const password = unique('First');
    const user = vendor().addUser(unique('mail'), password);
    user.username = username;
    return { ref: { name: username, nativeId: user.id }, password, key: user.email };
  };
  const remove = async ({ ref }: TestAccount) => {
    vendor().users.delete(ref.nativeId ?? '');
  };
  return {
    title: 'pingone',
    kind: 'pingone',
    get server() {
      return vendor().address;
    },
    settings: ({ port }) => ({
      environment: ENVIRONMENT,
      clientId: WORKER,
      clientSecret: '${file:secret}',
      apiUrl: `https://localhost:${port}/v1`,
      authUrl: `https://localhost:${port}`,
      attributes: ['email', 'name.family'],
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
        plaintext: { apiUrl: 'http://localhost:1/v1' },
      };
    },
    skips: {
      'another account that has got the id of the account is not written':
        'PingOne never uses an id again',
      'the account with which Lockstep signs in is refused as a target':
        'Lockstep signs in as a worker application, which is no user',
      'a write changes nothing else of a locked account':
        'a write would unlock the password, so it waits, see pingone.test.ts',
    },
    account: async () => added(unique('person')),
    absent: (text) => ({ name: text, nativeId: `${text}-${randomUUID()}` }),
    findBy: 'email',
    logsIn: async (account, password) => isPassword(of(account).password, password),
    stored: (entry) => entry.value,
    hashes: { schemes: pingOneSchemes, settings: () => ({}), provable: false },
    entry: async (account) => {
      const { user, password } = of(account);
      return { ...user, ...password, history: password.history.length };
    },
    mayChange: ['value', 'lastChangedAt', 'history'],
    refusals: [
      { title: 'a password that is too short', password: 'Xq7!z', reason: 'policy' },
      {
        title: 'a password on the list of common passwords',
        password: 'commonplace',
        reason: 'policy_quality',
      },
      {
        title: 'a password in the history',
        password: 'Seen-before-7!',
        after: ['Seen-before-7!', 'Seen-after-it-7!'],
        reason: 'policy_history',
      },
    ],
    http: {
      answering: (change) => vendor().answering(change),
      emptyIsSuccess: false,
      ofAnother: (document) => {
        const another = { id: randomUUID() };
        if ('username' in document) return { ...document, ...another };
        return 'user' in document ? { ...document, user: another } : null;
      },
    },
    acts: {
      unlock: ['status', 'secondsUntilUnlock', 'failures'],
      'force-change': ['status'],
    },
    disable: async (account) => {
      of(account).user.enabled = false;
    },
    async lock(account) {
      const { password } = of(account);
      password.status = 'PASSWORD_LOCKED_OUT';
      password.secondsUntilUnlock = 600;
    },
    requireChange: async (account) => {
      of(account).password.status = 'MUST_CHANGE_PASSWORD';
    },
    async rename(account) {
      const name = unique('renamed');
      of(account).user.username = name;
      return { ...account, ref: { ...account.ref, name } };
    },
    remove,
    create: async (username) => added(username),
    spellings: (username) => [username.toUpperCase()],
    async unreadable() {
      const account = added(unique('unreadable'));
      Object.assign(of(account).user, { username: null });
      return { shown: account.ref.nativeId ?? '', remove: () => remove(account) };
    },
    proved: {
      requests: ['GET', 'GET', 'PUT', 'POST'],
      record: seenRequests(() => methodsOf(vendor().seen)),
    },
    provable: { disabled: 'holds', locked: 'inconclusive' },
    failedLogins: async (account) => of(account).password.failures,
  };
}
