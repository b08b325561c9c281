import { randomUUID } from 'node:crypto';
import type { SearchResult } from 'ldapts';
import type { ListAnswer, ListRequest } from '../contract';
import { type Accounts, accountFilter, accountOptions } from './accounts';
import { IDLE_MS, type Link } from './link';
import { found } from './locate';
import { ownAccount } from './own-account';
import { type Call, newCall, within } from './pool';
import { failureOf } from './read-refusals';

/** A listing whose next page is not requested within this time is dropped. Its link would not live longer either. */
const ABANDONED_MS = IDLE_MS;

interface Listing {
  readonly link: Link;
  pages: AsyncGenerator<SearchResult> | null;
  abandoned?: NodeJS.Timeout;
}

/**
 * Lists all accounts, page by page. A paged search (RFC 2696) can continue only on the connection on which it began, so
 * each listing has its own link, and its cursor is valid only in this connector.
 */
export function listings(
  accounts: Accounts,
  open: (call: Call) => Promise<Link>,
): { page(request: ListRequest): Promise<ListAnswer>; close(): void } {
  const { settings } = accounts;
  const running = new Map<string, Listing>();
  const drop = (cursor: string) => {
    const listing = running.get(cursor);
    clearTimeout(listing?.abandoned);
    listing?.link.destroy();
    running.delete(cursor);
  };

  return {
    async page({ cursor, pageSize }) {
      const call = newCall();
      const id = cursor ?? randomUUID();
      if (cursor === null) running.set(id, { link: await open(call), pages: null });
      const listing = running.get(id);
      if (listing === undefined)
        return { result: 'failed', reason: 'unknown', vendorCode: 'cursor' };
      clearTimeout(listing.abandoned);
      const reply = await within(call, listing.link, () =>
        listing.link.ask((client) => {
          listing.pages ??= client.searchPaginated(settings.base, {
            ...accountOptions(accounts),
            filter: accountFilter(settings),
            paged: { pageSize },
          });
          return listing.pages.next();
        }),
      ).catch((error: unknown) => {
        drop(id);
        throw error;
      });
      if (!reply.ok || reply.value.done) drop(id);
      if (!reply.ok) return failureOf(reply);
      if (reply.value.done) return { result: 'page', accounts: [], cursor: null };
      listing.abandoned = setTimeout(() => drop(id), ABANDONED_MS).unref();
      const isOwn = await ownAccount(listing.link, accounts);
      const listed = reply.value.value.searchEntries
        .map((entry) => found(entry, accounts))
        .filter((account) => !isOwn(account));
      return { result: 'page', accounts: listed, cursor: id };
    },
    close() {
      for (const cursor of [...running.keys()]) drop(cursor);
    },
  };
}
