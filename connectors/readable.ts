import type { Connector, FoundAccount } from './contract';

/** Text that PostgreSQL cannot store, and, in a name, a character that stands for bytes that are no text. */
const UNUSABLE = /\0|\p{Cs}/u;
const UNUSABLE_IN_NAME = /\0|\p{Cs}|\ufffd/u;

const isReadable = ({ name, nativeId, attributes }: FoundAccount): boolean =>
  name !== '' &&
  !UNUSABLE_IN_NAME.test(name) &&
  !UNUSABLE_IN_NAME.test(nativeId ?? '') &&
  !Object.values(attributes)
    .flat()
    .some((value) => UNUSABLE.test(value));

/** Names an account in a form that can be stored and shown. */
const shown = ({ name, nativeId }: FoundAccount): string =>
  (name || nativeId || '(no name)').replace(/\0|\p{Cs}/gu, '\ufffd');

/**
 * Wraps a connector so that accounts whose texts cannot be stored are named in a list and left out of it, so that the
 * others are still read. A search fails because of such an account: without it, it could find one where there are two.
 */
export function readableOnly(connector: Connector): Connector {
  return {
    ...connector,
    async find(request) {
      const answer = await connector.find(request);
      return answer.result === 'failed' || answer.accounts.every(isReadable)
        ? answer
        : { result: 'failed', reason: 'unknown', vendorCode: 'unreadable' };
    },
    async list(request) {
      const page = await connector.list(request);
      if (page.result === 'failed' || page.accounts.every(isReadable)) return page;
      const unreadable = page.accounts.filter((account) => !isReadable(account));
      return {
        ...page,
        accounts: page.accounts.filter(isReadable),
        malformed: [...(page.malformed ?? []), ...unreadable.map(shown)],
      };
    },
  };
}
