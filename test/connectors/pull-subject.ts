import { randomUUID } from 'node:crypto';
import { openAdapterSessions } from '../../api/adapters/sessions';
import type { AccountRef } from '../../connectors/contract';
import type { Mailbox, WriteOf } from '../../connectors/mailbox';
import { findCases, stateCases, verifyCases } from '../../connectors/trial/cases';
import { openWithSessionKey } from '../../sealing/adapters';
import { initialiseAdapter } from '../../store/adapters/connected';
import { acknowledge, deliverMessages } from '../../store/adapters/messages';
import { openMailboxes } from '../../worker/adapters/mailbox';
import { type TestDatabase, testDatabase } from '../support/database';
import { lostReplyTitle } from './conformance/doubt';
import { because, type Subject, type TestAccount } from './conformance/subject';
import { unique } from './sql-admin';

const SOURCE = 'legacy';

/** A system whose adapter receives messages from the real store, and the accounts in it by name. */
export interface PulledSystem {
  readonly accounts: Map<string, string>;
  readonly mailbox: Mailbox;
  /** The write of a new change at an account, whose rows are stored. */
  writeOf(account: AccountRef): Promise<WriteOf>;
  stop(): Promise<void>;
}

export async function startPulledSystem(): Promise<PulledSystem> {
  const database = await testDatabase();
  const { db } = database;
  const accounts = new Map<string, string>();
  const mailboxes = await openMailboxes(db, database.url, 10_000);
  const sessions = openAdapterSessions();
  const key = await sessions.begin(SOURCE);
  await initialiseAdapter(db, SOURCE, { ...key, own: false }, 'test');
  let stopped = false;
  const adapter = (async () => {
    while (!stopped) {
      const wanted = { source: SOURCE, keyId: key.id, most: 8, maxPending: 100, by: 'test' };
      const received = await deliverMessages(db, wanted);
      if (received === 'full' || received.length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        continue;
      }
      for (const { id, sealed } of received) {
        const privateKey = sessions.privateKey(SOURCE, key.id);
        if (privateKey === null) throw new Error('no session key');
        const message = JSON.parse((await openWithSessionKey(sealed, privateKey)).toString());
        await acknowledge(db, SOURCE, id, carriedOut(accounts, message), 'test');
      }
    }
  })();
  return {
    accounts,
    mailbox: mailboxes.of(SOURCE),
    writeOf: ({ name }) => newWrite(database, name),
    async stop() {
      stopped = true;
      await adapter;
      await mailboxes.stop();
      await database.close();
    },
  };
}

function carriedOut(
  accounts: Map<string, string>,
  { account, password }: { readonly account: string; readonly password: string },
) {
  const refused = (reason: 'no_account' | 'policy_too_short') =>
    ({ result: 'rejected', reason, vendorCode: null, retryAfterMs: null }) as const;
  if (!accounts.has(account)) return refused('no_account');
  if (password.length < 8) return refused('policy_too_short');
  accounts.set(account, password);
  return { result: 'applied', reason: null, vendorCode: null, retryAfterMs: null } as const;
}

/** Stores a person with one account, and a change that has claimed it, as the worker does before it writes. */
async function newWrite({ db }: TestDatabase, name: string): Promise<WriteOf> {
  const [changeId, accountId] = [randomUUID(), randomUUID()];
  const row = { identity_id: changeId, claimed_seq: 1, source: SOURCE, linked_by: 'operator' };
  await db
    .insertInto('identity')
    .values({ id: changeId, name: changeId, attributes: '{}' })
    .execute();
  await db
    .insertInto('account')
    .values({
      ...row,
      id: accountId,
      name: `${name} ${changeId}`.replaceAll('\0', ''),
      name_key: changeId,
    })
    .execute();
  await db
    .insertInto('change')
    .values({
      ...{ id: changeId, identity_id: changeId, identity_name: changeId, seq: 1, groups: [] },
      ...{ requested_by: 'test', requested_by_name: 'test', configuration_version: 1 },
      expires_at: new Date(Date.now() + 3_600_000),
    })
    .execute();
  await db
    .insertInto('outcome')
    .values({
      ...{ change_id: changeId, label: SOURCE, position: 0, source: SOURCE, role: 'auth' },
      ...{ account_id: accountId, state: 'applying' },
    })
    .execute();
  return { changeId, label: SOURCE, accountId, seq: 1 };
}

const skips = {
  ...because('an adapter cannot be searched, so nothing is read', [
    ...[...findCases, ...stateCases].map(({ title }) => title),
    'list returns every account exactly once, in small pages',
    'a list of which a page is lost ends with a failure',
    'an account that cannot be read is named in the list, and the others are listed',
    ...['state shows a disabled account as disabled', 'state shows when the password was changed'],
    'state shows a locked account as locked and not as disabled',
    'state shows that an account must change its password',
    'a write changes nothing else of a disabled account',
    'a write changes nothing else of a locked account',
    'a write changes nothing else of a must-change account',
  ]),
  ...because('an adapter verifies nothing, so its acknowledgement is trusted', [
    ...verifyCases.map(({ title }) => title),
    'verify answers holds for a written password and differs for the old one',
    'verify never answers differs for the new password of a disabled account',
    'verify never answers differs for the new password of a locked account',
    'verify answers holds for an account that must change its password',
    'a verification does not disturb the next one, of the same or another account',
    ...[
      'verify makes exactly one login',
      'a write and its verification make exactly these requests',
    ],
    'verify answers inconclusive with unreachable if the server is down',
    'a verification right after a write distinguishes the written password',
    'an account that is renamed right after its write is not taken for another',
  ]),
  ...because('the adapter calls Lockstep: test/worker/pull.test.ts loses its calls and answers', [
    'a write to a server that is down answers retry with unreachable, and nothing is sent',
    'every call ends if the server accepts the connection and never answers',
    ...[lostReplyTitle('cut'), lostReplyTitle('hang')],
    'whichever request of a write is cut off before it is sent, the answer is never rejected, and another attempt completes the write',
    'the connector works again by itself when the server is back',
    'a connection that failed is not used again',
    'check reports an unreachable server and does not throw',
  ]),
  ...because('Lockstep opens no connection to the system and has no service account there', [
    'a write by a service account without rights is rejected with no_rights',
    'a certificate of another authority leads to retry with certificate_refused, and nothing is written',
    'a certificate of another host name leads to retry with certificate_refused, and nothing is written',
    'an impostor in the place of the server receives nothing',
    'a wrong service password leads to retry with service_credential_refused after a single login',
    'the settings reject a connection without TLS',
    'the settings reject a secret that is not a reference',
    'check reports a certificate that is not trusted',
    ...['check reports a wrong service password', 'check reports missing rights'],
    'the account with which Lockstep signs in is refused as a target',
  ]),
  ...because('an adapter reports names only, so an account is known by its name', [
    'a renamed account is followed by its id if the id is lasting, and else nothing is written',
    'another account that has got the name of the account is not written',
    'another account that has got the name of a renamed account is not written',
    'another account that has got the id of the account is not written',
    'an account that was created again under its name is not written',
    'the name of an account in another spelling names the same account',
    'a write and a read return the id of an account that is linked by its name',
  ]),
};

export const pullSubject = (system: () => PulledSystem): Subject => ({
  title: 'pull, on the messages of a real store',
  kind: 'pull',
  server: { host: '127.0.0.1', port: 0 },
  settings: () => ({}),
  secrets: {},
  get mailbox() {
    return system().mailbox;
  },
  writeOf: (account) => system().writeOf(account),
  hasty: {},
  wrong: { authority: {}, hostName: {}, servicePassword: {}, rights: {}, plaintext: {} },
  account: async (): Promise<TestAccount> => {
    const [name, password] = [unique('USER'), unique('First')];
    system().accounts.set(name, password);
    return { ref: { name, nativeId: null }, password, key: name };
  },
  absent: (text) => ({ name: text, nativeId: null }),
  findBy: 'name',
  logsIn: async ({ ref }, password) => system().accounts.get(ref.name) === password,
  entry: async ({ ref }) => ({ password: system().accounts.get(ref.name) }),
  mayChange: ['password'],
  refusals: [
    { title: 'a password that is too short', password: 'Xq7!z', reason: 'policy_too_short' },
  ],
  provable: { disabled: 'inconclusive', locked: 'inconclusive' },
  skips,
});
