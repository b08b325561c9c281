import { OKTA_READER, OKTA_TOKEN, type OktaVendor } from '../support/vendors/okta';
import type { Subject, TestAccount } from './conformance/subject';
import { unique } from './sql-admin';

export function oktaSubject(vendor: () => OktaVendor): Subject {
  const user = ({ ref }: TestAccount) => {
    const found = vendor().users.get(ref.nativeId ?? '');
    if (found === undefined) throw new Error('No such user');
    return found;
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
      'a write changes nothing else of a disabled account':
        'Okta rejects a write to a suspended user, see okta.test.ts',
      'a write changes nothing else of a locked account':
        'Okta rejects a write to a locked user, see okta.test.ts',
    },
    async account() {
      const password = unique('First');
      const { id, profile } = vendor().addUser(unique('person'), password);
      return { ref: { name: profile.login, nativeId: id }, password, key: profile.email };
    },
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
      ofAnother: (document) => {
        const another = { id: '00uofanotheruser0000' };
        if ('profile' in document) return { ...document, ...another };
        return '_embedded' in document ? { ...document, _embedded: { user: another } } : null;
      },
    },
    disable: withStatus('SUSPENDED'),
    lock: withStatus('LOCKED_OUT'),
    requireChange: withStatus('PASSWORD_EXPIRED'),
    async rename(account) {
      const login = `${unique('renamed')}@example.com`;
      user(account).profile.login = login;
      return { ...account, ref: { ...account.ref, name: login } };
    },
    provable: { disabled: 'inconclusive', locked: 'inconclusive' },
    failedLogins: async ({ ref }) => vendor().failedLogins.get(ref.nativeId ?? '') ?? 0,
  };
}
