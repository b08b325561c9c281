import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client } from 'ldapts';
import { server } from '../support/servers';
import { unboundidSuffix } from '../support/servers/unboundid';
import type { Settings, Subject, TestAccount } from './conformance/subject';
import { type DirectoryAdmin, directoryAdmin } from './directory-admin';

/** The administrator of the test server: whatever the connector did, he sees it. */
export interface UnboundidAdmin extends DirectoryAdmin {
  readonly addAccount: () => Promise<TestAccount>;
}

const unique = (prefix: string) => `${prefix}${randomBytes(6).toString('hex')}`;
const people = `ou=people,${unboundidSuffix}`;

export async function unboundidAdmin(): Promise<UnboundidAdmin> {
  const client = newClient();
  await client.bind('cn=Directory Manager', server('unboundid').admin ?? '');
  const hands = directoryAdmin(client, newClient);
  return {
    ...hands,
    async addAccount() {
      const uid = unique('user');
      const password = `First-${unique('')}-1!`;
      const name = `uid=${uid},${people}`;
      await client.add(name, {
        ...{ objectClass: 'inetOrgPerson', uid, cn: uid, sn: 'Test', userPassword: password },
      });
      const { entryUUID } = await hands.read({ ref: { name, nativeId: null }, password, key: uid });
      return { ref: { name, nativeId: String(entryUUID) }, password, key: uid };
    },
  };
}

function newClient(): Client {
  const { url = '', caFile = '' } = server('unboundid');
  return new Client({ url, tlsOptions: { ca: [readFileSync(caFile)] }, timeout: 5_000 });
}

export const unboundidService = (name: string): Settings => ({
  bindDn: `cn=${name},ou=services,${unboundidSuffix}`,
  bindPassword: `\${file:${name}}`,
});

const LIFTED =
  'PingDirectory lifts the lock with a new password and has no way back, so the write waits for its end';

export function unboundidSubject(admin: () => Promise<UnboundidAdmin>): Subject {
  const facts = () => server('unboundid');
  return {
    title: 'ldap on the directory of the UnboundID LDAP SDK',
    kind: 'ldap',
    get server() {
      return { host: '127.0.0.1', port: Number(facts().port) };
    },
    settings: ({ host, port }) => ({
      url: `ldaps://${host}:${port}`,
      ca: facts().caFile,
      base: people,
      ...unboundidService('lockstep'),
    }),
    get secrets() {
      const names = ['lockstep', 'reader', 'writer'];
      return {
        ...Object.fromEntries(names.map((name) => [`\${file:${name}}`, facts()[name] ?? ''])),
        '${file:wrong}': 'not-the-password-of-it',
      };
    },
    hasty: { timeoutMs: 500 },
    get wrong() {
      return {
        authority: { ca: facts().otherCaFile },
        hostName: { serverName: 'somebody.else.test' },
        servicePassword: { bindPassword: '${file:wrong}' },
        rights: unboundidService('reader'),
        plaintext: { url: 'ldap://127.0.0.1:389' },
      };
    },
    skips: {
      'a write changes nothing else of a locked account': LIFTED,
      'verify: makes one login, not more': 'the server compares, without a login',
    },
    account: async () => (await admin()).addAccount(),
    absent: (text) => ({ name: `uid=${text},${people}`, nativeId: null }),
    findBy: 'uid',
    logsIn: async (on, password) => (await admin()).logsIn(on, password),
    entry: async (on) => (await admin()).read(on),
    mayChange: ['userPassword', 'pwdChangedTime', 'modifyTimestamp', 'modifiersName'],
    refusals: [
      {
        title: 'a password that is too short',
        password: 'Xq7!z',
        reason: 'policy',
      },
      {
        title: 'a password of the history',
        password: 'Once-was-mine-1!',
        after: ['Once-was-mine-1!', 'Then-came-this-2!'],
        reason: 'policy',
      },
      {
        title: 'a password that looks like a hash, although the policy allows them',
        password: '{SSHA256}mQ9vZ3cGZkQ1cGZkQ1cGZkQ1cGZkQ1cG',
        reason: 'policy',
      },
    ],
    disable: async (on) => (await admin()).replace(on, 'ds-pwp-account-disabled', 'true'),
    async lock(on) {
      for (let failures = 0; failures < 5; failures++)
        await (await admin()).logsIn(on, 'not the password');
    },
    // Its policy forces a change after a reset by an administrator.
    requireChange: async (on) => (await admin()).replace(on, 'userPassword', on.password),
    async rename(on) {
      const key = unique('renamed');
      const name = `uid=${key},${people}`;
      await (await admin()).client.modifyDN(on.ref.name, name);
      return { ...on, key, ref: { ...on.ref, name } };
    },
    provable: { disabled: 'holds', locked: 'holds' },
  };
}
