import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Attribute, Change, Client, type Entry, type SearchOptions } from 'ldapts';
import { server } from '../support/servers';
import type { TestAccount } from './conformance/subject';

export type Attributes = Readonly<Record<string, string | string[]>>;

/** The administrator of a test directory, who reads and writes it without the connector. */
export interface DirectoryAdmin {
  readonly client: Client;
  /** Creates an account with a random password. @param name its DN; by default a unique one */
  readonly addAccount: (attributes?: Attributes, name?: string) => Promise<TestAccount>;
  /** Reads all attributes of the account. */
  readonly read: (account: Pick<TestAccount, 'ref'>) => Promise<Entry>;
  readonly replace: (account: TestAccount, attribute: string, ...values: string[]) => Promise<void>;
  /** Whether a login of the account, on its own connection, succeeds with the password. */
  readonly logsIn: (account: TestAccount, password: string) => Promise<boolean>;
  readonly nativeIdOf: (entry: Entry) => string;
  readonly close: () => Promise<void>;
}

/** What differs between the test directories for their administrators. */
export interface AdminOf {
  /** Name of the test server, for `server(…)`. */
  readonly server: string;
  readonly bindDn: string;
  /** DN below which the accounts are. */
  readonly people: string;
  /** Attribute that names an account in its DN. */
  readonly rdn: 'uid' | 'CN';
  /** Attributes of a new account. */
  readonly attributesOf: (key: string, password: string) => Attributes | Attribute[];
  readonly nativeIdOf: (entry: Entry) => string;
  /** Options that read all attributes of an account. */
  readonly shown?: SearchOptions;
}

export const uniqueName = (prefix: string): string => `${prefix}${randomBytes(5).toString('hex')}`;

/** A new connection to a test directory, without a login. */
export function newDirectoryClient(name: string): Client {
  const { host, port, url = `ldaps://${host}:${port}`, caFile = '', serverName } = server(name);
  const ca = [readFileSync(caFile)];
  const tlsOptions = serverName === undefined ? { ca } : { ca, servername: serverName };
  return new Client({ url, tlsOptions, timeout: 50_000 });
}

/** Logs in as the administrator of a test directory. */
export async function directoryAdmin(directory: AdminOf): Promise<DirectoryAdmin> {
  const { people, rdn, attributesOf, nativeIdOf } = directory;
  const { shown = { attributes: ['*', '+'] } } = directory;
  const client = newDirectoryClient(directory.server);
  await client.bind(directory.bindDn, server(directory.server).admin ?? '');
  const read = async ({ ref }: Pick<TestAccount, 'ref'>): Promise<Entry> => {
    const found = await client.search(ref.name, { scope: 'base', ...shown });
    return found.searchEntries[0] ?? { dn: '' };
  };
  return {
    client,
    read,
    nativeIdOf,
    async addAccount(attributes = {}, wanted) {
      // A sAMAccountName stays the same when an account gets another CN, so it is not taken from the name.
      const key =
        wanted === undefined || rdn === 'CN'
          ? uniqueName('u')
          : wanted.slice(rdn.length + 1, wanted.indexOf(','));
      const name = wanted ?? `${rdn}=${key},${people}`;
      const password = `First-${uniqueName('')}-1!`;
      const initial = attributesOf(key, password);
      const more = Object.entries(attributes).map(
        ([type, values]) => new Attribute({ type, values: [values].flat() }),
      );
      await client.add(
        name,
        Array.isArray(initial) ? [...initial, ...more] : { ...initial, ...attributes },
      );
      const nativeId = nativeIdOf(await read({ ref: { name, nativeId: null } }));
      return { ref: { name, nativeId }, password, key };
    },
    async replace({ ref }, type, ...values) {
      const modification = new Attribute({ type, values });
      await client.modify(ref.name, new Change({ operation: 'replace', modification }));
    },
    async logsIn({ ref }, password) {
      const person = newDirectoryClient(directory.server);
      try {
        await person.bind(ref.name, password);
        return true;
      } catch {
        return false;
      } finally {
        await person.unbind();
      }
    },
    close: () => client.unbind(),
  };
}

/** Attributes of a new account of the class inetOrgPerson. */
export const personAttributes = (uid: string, userPassword: string): Attributes => ({
  ...{ objectClass: 'inetOrgPerson', uid, cn: uid, sn: 'Test' },
  userPassword,
});

export const entryUuidOf = ({ entryUUID }: Entry): string => String(entryUUID);
