import { OKTA_READER, OKTA_TOKEN, type OktaVendor } from '../support/vendors/okta';
import type { Subject, TestAccount } from './conformance/subject';
import { methodsOf, seenRequests } from './recorders';
import { unique } from './sql-admin';

export function oktaSubject(vendor: () => OktaVendor): Subject {
  const user = ({ ref }: TestAccount) => {
    const found = vendor().users.get(ref.nativeId ?? '');
    if (found === undefined) throw new Error('No such user');
    return found;
  };
  const added = (login: string): TestAccount => {
    const password = unique('First');
    const { id, profile } = vendor().addUser(unique('mail'), password);
    profile.login = login;
    return { ref: { name: login, nativeId: id }, password, key: profile.email };
  };
  const remove = async ({ ref }: TestAccount) => {
    vendor().users.delete(ref.nativeId ?? '');
  };
  const withStatus = (status: string) => async (account: TestAccount) => {
    user(account).status = status;
  };
  return {
    title: 'okta',
    kind: 'okta',
    get server() {
      return vendor().address;
    },
    settings: ({ port }) => ({
      url: `https://localhost:${port}`,
      ca: vendor().caFile,
      token: '${file:token}',
      allowPrivateAddresses: ['localhost'],
    }),
    get secrets() {
      return {
        '${file:token}': OKTA_TOKEN,
        '${file:reader}': OKTA_READER,
        '${file:key}': vendor().privateKeys.ES256,
        '${file:wrong}': 'no-token-of-anybody',
      };
    },
    hasty: { timeoutMs: 500 },
    get wrong() {
      return {
        authority: { ca: vendor().otherCaFile },
        hostName: { serverName: 'somebody.else.test' },
        servicePassword: { token: '${file:wrong}' },
        rights: { token: '${file:reader}' },
        plaintext: { url: 'http://localhost:1' },
      };
    },
    skips: {
      'another account that has got the id of the account is not written':
        'Okta never uses an id again',
      'a write changes nothing else of a disabled account':
        'Okta rejects a write to a suspended user, see okta.test.ts',
      'a write changes nothing else of a locked account':
        'Okta rejects a write to a locked user, see okta.test.ts',
    },
    account: async () => added(`${unique('person')}@example.com`),
    absent: (text) => ({ name: text, nativeId: text }),
    findBy: 'email',
    logsIn: async ({ ref }, password) => vendor().passwords.get(ref.nativeId ?? '') === password,
    entry: async (account) => ({ ...user(account), profile: { ...user(account).profile } }),
    mayChange: ['passwordChanged'],
    refusals: [
      { title: 'a password that is too short', password: 'Xq7!z', reason: 'policy' },
      {
        title: 'a password on the list of common passwords',
        password: 'commonplace',
        reason: 'policy',
      },
    ],
    http: {
      answering: (change) => vendor().answering(change),
      emptyIsSuccess: false,
      isOptional: () => vendor().seen.at(-1)?.endsWith('/users/me') === true,
      ofAnother: (document) => {
        const another = { id: '00uofanotheruser0000' };
        if ('profile' in document) return { ...document, ...another };
        return '_embedded' in document ? { ...document, _embedded: { user: another } } : null;
      },
    },
    acts: { unlock: ['status'], 'force-change': ['status'] },
    disable: withStatus('SUSPENDED'),
    lock: withStatus('LOCKED_OUT'),
    requireChange: withStatus('PASSWORD_EXPIRED'),
    async rename(account) {
      const login = `${unique('renamed')}@example.com`;
      user(account).profile.login = login;
      return { ...account, ref: { ...account.ref, name: login } };
    },
    remove,
    create: async (login) => added(login),
    spellings: (login) => [login.toUpperCase()],
    async ownAccount() {
      const account = added(`${unique('service')}@example.com`);
      vendor().tokensOf(account.ref.nativeId);
      return { account };
    },
    async unreadable() {
      const account = added(`${unique('unreadable')}@example.com`);
      Object.assign(user(account).profile, { login: null });
      return { shown: account.ref.nativeId ?? '', remove: () => remove(account) };
    },
    proved: {
      requests: ['GET', 'POST', 'POST'],
      record: seenRequests(() => methodsOf(vendor().seen)),
    },
    provable: { disabled: 'inconclusive', locked: 'inconclusive' },
    failedLogins: async ({ ref }) => vendor().failedLogins.get(ref.nativeId ?? '') ?? 0,
  };
}
