import type { Connector, FoundAccount } from '../../connectors/contract';
import type { ErrorCode } from '../../model/errors';

const PAGE_SIZE = 500;

export interface Listed {
  readonly accounts: FoundAccount[];
  /** Accounts with text that cannot be stored. */
  readonly unreadable: FoundAccount[];
  /** Accounts of which the source reported no more than an id or a position. */
  readonly nameless: string[];
  readonly failed: ErrorCode | null;
}

/**
 * Reads all accounts of a source, page by page.
 * @param report is called after each page with the number of accounts so far
 */
export async function listAccounts(
  connector: Connector,
  report: (read: number) => Promise<void>,
): Promise<Listed> {
  const listed: Listed = { accounts: [], unreadable: [], nameless: [], failed: null };
  let cursor: string | null = null;
  do {
    const page = await connector.list({ cursor, pageSize: PAGE_SIZE });
    if (page.result === 'failed') return { ...listed, failed: page.reason };
    for (const account of page.accounts)
      (isReadable(account) ? listed.accounts : listed.unreadable).push(account);
    listed.nameless.push(...(page.malformed ?? []));
    await report(listed.accounts.length + listed.unreadable.length + listed.nameless.length);
    cursor = page.cursor;
  } while (cursor !== null);
  return listed;
}

/** Whether PostgreSQL can store every text of the account, and the account has a name. */
const isReadable = ({ name, nativeId, attributes }: FoundAccount): boolean =>
  name !== '' && [name, nativeId ?? '', ...Object.values(attributes).flat()].every(isStorable);

const isStorable = (text: string): boolean => !text.includes('\0') && !/\p{Cs}/u.test(text);

/** The name in a form that can be stored and shown, or the attributes of an account without a name. */
export const shownName = ({ name, attributes }: FoundAccount): string =>
  (name || Object.values(attributes).flat().join(', ') || '(no name)')
    .replaceAll('\0', '\ufffd')
    .replace(/\p{Cs}/gu, '\ufffd');
