import { randomUUID } from 'node:crypto';
import { SCIM_READER, SCIM_TOKEN, type ScimVendor } from '../support/vendors/scim';
import { because, type Subject, type TestAccount } from './conformance/subject';
import { methodsOf, seenRequests } from './recorders';
import { unique } from './sql-admin';

export function scimSubject(
  vendor: () => ScimVendor,
  write: 'path' | 'value',
  ids: 'uuid' | 'number' = 'uuid',
): Subject {
  const added = (userName: string, given?: string): TestAccount => {
    const password = unique('First');
    const { id, emails } = vendor().addUser(userName, password, given && Number(given));
    const ref = { name: userName, nativeId: String(id) };
    return { ref, password, key: (emails[1] as { value: string }).value };
  };
  const remove = async ({ ref }: Pick<TestAccount, 'ref'>) => {
    vendor().users.delete(ref.nativeId ?? '');
  };
  const user = ({ ref }: TestAccount) => {
    const found = vendor().users.get(ref.nativeId ?? '');
    if (found === undefined) throw new Error('No such user');
    return found;
  };
  return {
    title: `scim (${write}, ${ids})`,
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
      ...because('SCIM has no way to verify a password', [
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
      ...because('SCIM has no locks', [
        'a write changes nothing else of a locked account',
        'state shows a locked account as locked and not as disabled',
      ]),
      ...because('SCIM has no forced change', [
        'a write changes nothing else of a must-change account',
        'state shows that an account must change its password',
      ]),
      'state shows when the password was changed': 'SCIM does not expose the time',
      ...(ids === 'uuid' && {
        'another account that has got the id of the account is not written':
          'a UUID is never used again',
      }),
    },
    account: async () => added(unique('person')),
    absent: (text) => ({
      name: text,
      nativeId: ids === 'uuid' ? randomUUID() : '9007199254740991',
    }),
    findBy: 'emails.value',
    logsIn: async ({ ref }, password) => vendor().passwords.get(ref.nativeId ?? '') === password,
    entry: async (account) => ({ ...user(account) }),
    mayChange: [],
    refusals: [{ title: 'a password that is too short', password: 'Xq7!z', reason: 'policy' }],
    http: {
      answering: (change) => vendor().answering(change),
      emptyIsSuccess: true,
      isOptional: () => vendor().seen.at(-1)?.endsWith('/Me') === true,
      ofAnother: (document) => ('userName' in document ? { ...document, id: randomUUID() } : null),
    },
    disable: async (account) => {
      user(account).active = false;
    },
    async rename(account) {
      const name = unique('renamed');
      user(account).userName = name;
      return { ...account, ref: { ...account.ref, name } };
    },
    remove,
    create: async (name) => added(name),
    async giveId({ ref }) {
      await remove({ ref });
      return added(unique('heir'), ref.nativeId ?? '');
    },
    spellings: (name) => [name.toUpperCase()],
    async ownAccount() {
      const account = added(unique('service'));
      vendor().tokensOf(account.ref.nativeId);
      return { account };
    },
    async unreadable() {
      const { ref } = added(unique('unreadable'));
      const user = vendor().users.get(ref.nativeId ?? '');
      Object.assign(user ?? {}, { userName: null });
      return { shown: ref.nativeId ?? '', remove: () => remove({ ref }) };
    },
    proved: {
      // An id that is not lasting must agree with the name.
      requests: ids === 'uuid' ? ['PATCH'] : ['GET', 'PATCH'],
      record: seenRequests(() => methodsOf(vendor().seen)),
    },
    provable: { disabled: 'inconclusive', locked: 'inconclusive' },
  };
}
