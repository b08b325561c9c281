import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client } from 'ldapts';
import { userAttributes } from '../../local/domain-admin';
import { Secret } from '../../model/passwords/secret';
import { server } from '../support/servers';
import type { Settings, Subject, TestAccount } from './conformance/subject';
import { type DirectoryAdmin, directoryAdmin } from './directory-admin';

/** The administrator of the test domain: whatever the connector did, he sees it. */
export interface DomainAdmin extends DirectoryAdmin {
  readonly addAccount: () => Promise<TestAccount>;
}

const unique = (prefix: string) => `${prefix}${randomBytes(5).toString('hex')}`;
const facts = () => server('samba');
export const people = () => `OU=people,${facts().base}`;

export async function domainAdmin(): Promise<DomainAdmin> {
  const client = newClient();
  await client.bind(facts().adminDn ?? '', facts().admin ?? '');
  const hands = directoryAdmin(client, newClient, {
    attributes: ['*', 'msDS-User-Account-Control-Computed'],
    explicitBufferAttributes: ['objectGUID'],
  });
  return {
    ...hands,
    async addAccount() {
      const key = unique('u');
      const password = `First-${unique('')}-1!`;
      const ref = { name: `CN=${key},${people()}`, nativeId: null };
      await client.add(ref.name, userAttributes(key, Secret.fromText(password)));
      const account = { ref, password, key };
      const { objectGUID } = await hands.read(account);
      return { ...account, ref: { ...ref, nativeId: guidText(objectGUID as Buffer) } };
    },
  };
}

function newClient(): Client {
  const { host, port, caFile = '', serverName = '' } = facts();
  return new Client({
    url: `ldaps://${host}:${port}`,
    tlsOptions: { ca: [readFileSync(caFile)], servername: serverName },
    timeout: 10_000,
  });
}

/** As Windows writes it: the first three groups are numbers with the low byte first. */
function guidText(bytes: Buffer): string {
  const number = (at: number, length: number) =>
    bytes
      .readUIntLE(at, length)
      .toString(16)
      .padStart(2 * length, '0');
  const rest = bytes.subarray(8).toString('hex');
  return [number(0, 4), number(4, 2), number(6, 2), rest.slice(0, 4), rest.slice(4)].join('-');
}

export function activeDirectorySubject(admin: () => Promise<DomainAdmin>): Subject {
  const service = (name: string): Settings => ({
    bindDn: `CN=${name},CN=Users,${facts().base}`,
    bindPassword: `\${file:${name}}`,
  });
  const set = async (on: TestAccount, attribute: string, value: string) =>
    (await admin()).replace(on, attribute, value);

  return {
    title: 'active-directory on Samba',
    kind: 'active-directory',
    get server() {
      return { host: facts().host ?? '', port: Number(facts().port) };
    },
    settings: ({ host, port }) => ({
      url: `ldaps://${host}:${port}`,
      ca: facts().caFile,
      serverName: facts().serverName,
      base: people(),
      ...service('lockstep'),
    }),
    get secrets() {
      const names = ['lockstep', 'writer', 'reader'];
      return {
        ...Object.fromEntries(names.map((name) => [`\${file:${name}}`, facts()[name] ?? ''])),
        '${file:wrong}': 'not-the-password-of-it',
      };
    },
    // A reset takes Samba about 50 ms of CPU.
    hasty: { timeoutMs: 1_000 },
    get wrong() {
      return {
        authority: { ca: facts().otherCaFile },
        hostName: { serverName: 'somebody.else.test' },
        servicePassword: { bindPassword: '${file:wrong}' },
        rights: service('reader'),
        plaintext: { url: 'ldap://127.0.0.1:389' },
      };
    },
    skips: {},
    account: async () => (await admin()).addAccount(),
    absent: (text) => ({ name: `CN=${text},${people()}`, nativeId: null }),
    findBy: 'sAMAccountName',
    logsIn: async (on, password) => (await admin()).logsIn(on, password),
    entry: async (on) => (await admin()).read(on),
    mayChange: ['pwdLastSet', 'whenChanged', 'uSNChanged'],
    refusals: [
      { title: 'a password that is too short', password: 'Xq7!z', reason: 'policy_too_short' },
      {
        title: 'a password of one kind of characters',
        password: 'onlysmallletters',
        reason: 'policy_quality',
      },
    ],
    disable: (on) => set(on, 'userAccountControl', '514'),
    async lock(on) {
      for (let failures = 0; failures < 5; failures++)
        await (await admin()).logsIn(on, 'not the password');
    },
    requireChange: (on) => set(on, 'pwdLastSet', '0'),
    async rename(on) {
      const name = `CN=${unique('renamed')},${people()}`;
      await (await admin()).client.modifyDN(on.ref.name, name);
      return { ...on, ref: { ...on.ref, name } };
    },
    // A domain controller says why it refuses a login once the password was right, but looks at a lock first.
    provable: { disabled: 'holds', locked: 'inconclusive' },
    failedLogins: async (on) => Number((await (await admin()).read(on)).badPwdCount ?? 0),
  };
}
