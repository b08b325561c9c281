import { Attribute, Change, type Client, type Entry, type SearchOptions } from 'ldapts';
import type { TestAccount } from './conformance/subject';

/** What the administrator of any directory does and sees, whatever the connector did. */
export interface DirectoryAdmin {
  readonly client: Client;
  readonly read: (account: TestAccount) => Promise<Entry>;
  readonly replace: (account: TestAccount, attribute: string, ...values: string[]) => Promise<void>;
  /** With a connection of its own. */
  readonly logsIn: (account: TestAccount, password: string) => Promise<boolean>;
  readonly close: () => Promise<void>;
}

/** @param shown how all that matters of an account is asked for */
export function directoryAdmin(
  client: Client,
  newClient: () => Client,
  shown: SearchOptions = { attributes: ['*', '+'] },
): DirectoryAdmin {
  return {
    client,
    async read({ ref }) {
      const found = await client.search(ref.name, { scope: 'base', ...shown });
      return found.searchEntries[0] ?? { dn: '' };
    },
    async replace({ ref }, type, ...values) {
      const modification = new Attribute({ type, values });
      await client.modify(ref.name, new Change({ operation: 'replace', modification }));
    },
    async logsIn({ ref }, password) {
      const person = newClient();
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
