import { server } from '../support/servers';
import type { Settings, Subject, TestAccount } from './conformance/subject';
import { type Attributes, type DirectoryAdmin, uniqueName } from './directory-admin';
import { ldapRequests } from './recorders';

type Own = 'title' | 'mayChange' | 'refusals' | 'provable';
type Optional = 'acts' | 'hasty' | 'skips' | 'stored' | 'hashes' | 'disable' | 'requireChange';

/** What differs between the directory servers: a row of the table in the files `*-subject.ts`. */
export interface Directory extends Pick<Subject, Own>, Partial<Pick<Subject, Optional>> {
  readonly kind: 'ldap' | 'active-directory';
  /** Name of the test server, for `server(…)`. */
  readonly name: string;
  readonly admin: () => Promise<DirectoryAdmin>;
  /** DN below which the accounts are. */
  readonly people: () => string;
  /** Attribute that names an account in its DN, and the one by which `find` searches. */
  readonly rdn: 'uid' | 'CN';
  readonly findBy: string;
  /** Settings for one of the service accounts. */
  readonly service: (name: string) => Settings;
  /** Names of the service accounts; their passwords are facts of the server. */
  readonly services: readonly string[];
  /** Further settings of the connector. */
  readonly more?: () => Settings;
  /** Attribute and value by which an administrator disables an account. */
  readonly disabledBy: readonly [attribute: string, value: string];
  /** Attributes of an account that the connector cannot read, because a text holds NUL. */
  readonly unreadable?: Attributes;
  /** The requests of one change of an account. */
  readonly requests: readonly string[];
  /** Returns the number of failed logins in the entry of an account. Missing where logins are not counted. */
  readonly failuresIn?: (entry: Readonly<Record<string, unknown>>) => number;
}

/** Number of failed logins after which each test server locks an account. */
const LOCKED_AFTER = 5;

/** The subject of a directory server. What all of them share is here; a `Directory` contains what differs. */
export function directorySubject(directory: Directory): Subject {
  const { kind, name, admin, people, rdn, service, services, failuresIn } = directory;
  const { title, mayChange, refusals, provable, findBy, stored, hashes } = directory;
  const facts = () => server(name);
  const [disabledAttribute, disabledValue] = directory.disabledBy;
  return {
    ...{ title, kind, findBy, mayChange, refusals, provable },
    proved: { requests: directory.requests, record: ldapRequests },
    ...(stored && { stored }),
    ...(hashes && { hashes }),
    ...(directory.acts && { acts: directory.acts }),
    ...(directory.requireChange && { requireChange: directory.requireChange }),
    get server() {
      return { host: facts().host ?? '127.0.0.1', port: Number(facts().port) };
    },
    settings: ({ host, port }) => ({
      url: `ldaps://${host}:${port}`,
      ca: facts().caFile,
      base: people(),
      ...service('lockstep'),
      ...directory.more?.(),
    }),
    get secrets() {
      return {
        ...Object.fromEntries(services.map((one) => [`\${file:${one}}`, facts()[one] ?? ''])),
        '${file:wrong}': 'not-the-password-of-it',
      };
    },
    hasty: directory.hasty ?? { timeoutMs: 500 },
    get wrong() {
      return {
        authority: { ca: facts().otherCaFile },
        hostName: { serverName: 'somebody.else.test' },
        servicePassword: { bindPassword: '${file:wrong}' },
        rights: service('reader'),
        plaintext: { url: 'ldap://127.0.0.1:389' },
      };
    },
    skips: {
      'another account that has got the id of the account is not written':
        'the directory never gives an id to another entry',
      ...directory.skips,
    },
    account: async () => (await admin()).addAccount(),
    absent: (text) => ({ name: `${rdn}=${text},${people()}`, nativeId: null }),
    logsIn: async (account, password) => (await admin()).logsIn(account, password),
    entry: async (account) => (await admin()).read(account),
    disable: async (account) => (await admin()).replace(account, disabledAttribute, disabledValue),
    async lock(account) {
      for (let failures = 0; failures < LOCKED_AFTER; failures++)
        await (await admin()).logsIn(account, 'not the password');
    },
    async rename(account): Promise<TestAccount> {
      const key = uniqueName('renamed');
      const renamed = `${rdn}=${key},${people()}`;
      await (await admin()).client.modifyDN(account.ref.name, renamed);
      const ref = { ...account.ref, name: renamed };
      return { ...account, ...(findBy === rdn && { key }), ref };
    },
    remove: async ({ ref }) => (await admin()).client.del(ref.name),
    create: async (dn) => (await admin()).addAccount({}, dn),
    spellings: (dn) => [
      dn.toUpperCase(),
      dn.toLowerCase().replaceAll(',', ' , ').replaceAll('=', ' = '),
      dn.replace(/=(.)/, (_, first: string) => `=\\${Buffer.from(first).toString('hex')}`),
    ],
    async ownAccount() {
      const { bindDn } = service('lockstep') as { bindDn: string };
      const { read, nativeIdOf } = await admin();
      const ref = { name: bindDn, nativeId: null };
      const nativeId = nativeIdOf(await read({ ref }));
      return {
        account: { ref: { ...ref, nativeId }, password: facts().lockstep ?? '', key: '' },
        settings: { base: bindDn.slice(bindDn.search(/dc=/i)), userFilter: '(objectClass=*)' },
      };
    },
    ...(directory.unreadable && {
      async unreadable() {
        const account = await (await admin()).addAccount(directory.unreadable);
        return {
          shown: account.ref.name,
          remove: async () => (await admin()).client.del(account.ref.name),
        };
      },
    }),
    ...(failuresIn && {
      failedLogins: async (account: TestAccount) => failuresIn(await (await admin()).read(account)),
    }),
  };
}
