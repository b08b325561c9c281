import { randomUUID } from 'node:crypto';
import { type Receiver, TOKENS } from '../support/receiver';
import type { Settings, Subject, TestAccount } from './conformance/subject';
import { seenRequests } from './recorders';
import { unique } from './sql-admin';

/**
 * @param sealing the settings that protect requests on their way
 * @param lasting whether the receiver never gives an id to another person
 */
export function webhookSubject(
  receiver: () => Receiver,
  title: string,
  sealing: () => Settings,
  lasting: boolean,
): Subject {
  const person = ({ ref }: TestAccount) => {
    const found = receiver().people.get(ref.nativeId ?? '');
    if (found === undefined) throw new Error('No such person');
    return found;
  };
  const added = (name: string, id: string = randomUUID()): TestAccount => {
    const password = unique('First');
    receiver().people.set(id, {
      ...{ name, id, password, changedAt: null, failedLogins: 0 },
      ...{ disabled: false, locked: false, mustChange: false },
    });
    return { ref: { name, nativeId: id }, password, key: `${id}@example.com` };
  };
  const remove = async ({ ref }: TestAccount) => {
    receiver().people.delete(ref.nativeId ?? '');
  };
  return {
    title: `webhook, ${title}`,
    kind: 'webhook',
    get server() {
      return receiver().address;
    },
    settings: ({ port }) => ({
      url: `https://localhost:${port}/lockstep/`,
      ca: receiver().caFile,
      allowPrivateAddresses: ['127.0.0.0/8', '::1'],
      signingSecret: '${file:signing}',
      token: '${file:token}',
      proof: 'login',
      operations: ['find', 'list', 'state'],
      ...sealing(),
    }),
    get secrets() {
      return {
        '${file:signing}': receiver().signingSecret,
        '${file:token}': TOKENS.writer,
        '${file:reader}': TOKENS.reader,
        '${file:wrong}': 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
      };
    },
    hasty: { timeoutMs: 500 },
    get wrong() {
      return {
        authority: { ca: receiver().otherCaFile },
        hostName: { serverName: 'somebody.else.test' },
        servicePassword: { signingSecret: '${file:wrong}' },
        rights: { token: '${file:reader}' },
        plaintext: { url: 'http://localhost:1/lockstep/' },
      };
    },
    skips: {
      'the name of an account in another spelling names the same account':
        'the receiver compares names exactly',
      'the account with which Lockstep signs in is refused as a target':
        'Lockstep signs in with a token, which is no account of the receiver',
      'the JSON of a gateway refuses neither the account nor the service account, whatever its status':
        'the contract documents no body for the refusals of a receiver',
      ...(lasting && {
        'another account that has got the id of the account is not written':
          'the receiver never gives an id to another person',
      }),
    },
    account: async () => added(unique('person')),
    remove,
    create: async (name) => added(name),
    async giveId(account) {
      await remove(account);
      return added(unique('heir'), account.ref.nativeId ?? '');
    },
    async unreadable() {
      const account = added('before\0after');
      return { shown: account.ref.nativeId ?? '', remove: () => remove(account) };
    },
    absent: (text) => ({ name: text, nativeId: null }),
    findBy: 'mail',
    async logsIn(account, password) {
      await receiver().settled();
      return person(account).password === password;
    },
    entry: async (account) => ({ ...person(account) }),
    mayChange: ['password', 'changedAt'],
    refusals: [
      {
        title: 'a password that is too short',
        password: 'Xq7!z',
        reason: 'policy_too_short',
      },
    ],
    http: {
      answering: (change) => receiver().answering(change),
      emptyIsSuccess: false,
    },
    disable: async (account) => {
      person(account).disabled = true;
    },
    lock: async (account) => {
      person(account).locked = true;
    },
    requireChange: async (account) => {
      person(account).mustChange = true;
    },
    async rename(account) {
      person(account).name = unique('renamed');
      return { ...account, ref: { ...account.ref, name: person(account).name } };
    },
    proved: {
      requests: ['POST', 'POST'],
      record: seenRequests(() => receiver().requests.map(() => 'POST')),
    },
    provable: { disabled: 'inconclusive', locked: 'inconclusive' },
    failedLogins: async (account) => person(account).failedLogins,
  };
}
