import type { Dependencies } from '../../activities/dependencies';
import type { Connector, FoundAccount } from '../../connectors/contract';
import { log } from '../../log';
import type { Refresh, Sample } from '../../model/api/job-results';
import type { SourceConfiguration } from '../../model/configuration/document';
import type { ErrorCode } from '../../model/errors';
import { type SortedAccounts, sortAccounts } from '../../model/people/refresh';
import { type AccountLink, linkAccount, saveIdentity } from '../../store/people/identities';
import { type KnownPerson, readLinkedNames, readPeople } from '../../store/people/matching';
import type { Job } from '../../store/sources/jobs';

const PAGE_SIZE = 500;
const SAMPLE_SIZE = 20;

/**
 * Reads all accounts of a source, page by page, and links each to the person that the correlation rules find. A
 * preview does the same without writing. A partial list links nothing.
 */
export async function refreshSource(
  deps: Dependencies,
  job: Job,
  source: SourceConfiguration,
  connector: Connector,
): Promise<Refresh> {
  const preview = job.parameters.preview === true;
  const { accounts, unreadable, failed } = await listAll(connector);
  if (unreadable.length > 0)
    log.warn('a refresh skipped accounts that have no name, or text that cannot be stored', {
      source: job.source,
      count: unreadable.length,
    });
  const sorted = sortAccounts({
    accounts,
    correlate: source.correlate,
    createIdentities: source.createIdentities,
    people: await readPeople(deps.db),
    linked: await readLinkedNames(deps.db, job.source),
  });
  if (!preview && failed === null) await link(deps, job, sorted);
  return {
    preview,
    read: accounts.length + unreadable.length,
    linked: failed === null ? sorted.toLink.length + sorted.toAdd.length : 0,
    alreadyLinked: sorted.alreadyLinked,
    peopleAdded: failed === null ? sorted.toAdd.length : 0,
    unmatched: sample(sorted.unmatched),
    ambiguous: sample(sorted.ambiguous),
    unreadable: sample(unreadable.map(shown)),
    failed,
  };
}

interface Listed {
  readonly accounts: FoundAccount[];
  /** Accounts that cannot be linked to anyone, as the source reported them. */
  readonly unreadable: FoundAccount[];
  readonly failed: ErrorCode | null;
}

async function listAll(connector: Connector): Promise<Listed> {
  const accounts: FoundAccount[] = [];
  const unreadable: FoundAccount[] = [];
  let cursor: string | null = null;
  do {
    const page = await connector.list({ cursor, pageSize: PAGE_SIZE });
    if (page.result === 'failed') return { accounts, unreadable, failed: page.reason };
    for (const account of page.accounts)
      (isReadable(account) ? accounts : unreadable).push(account);
    for (const account of page.malformed ?? [])
      unreadable.push({ name: account, nativeId: null, attributes: {} });
    cursor = page.cursor;
  } while (cursor !== null);
  return { accounts, unreadable, failed: null };
}

/** Whether PostgreSQL can store every text of the account, and the account has a name. */
const isReadable = ({ name, nativeId, attributes }: FoundAccount): boolean =>
  name !== '' && [name, nativeId ?? '', ...Object.values(attributes).flat()].every(isStorable);

const isStorable = (text: string): boolean => !text.includes('\0') && !/\p{Cs}/u.test(text);

/** The name in a form that can be stored and shown, or the first attributes of an account without a name. */
const shown = ({ name, attributes }: FoundAccount): { readonly name: string } => ({
  name: (name || Object.values(attributes).flat().join(', ') || '(no name)')
    .replaceAll('\0', '\ufffd')
    .replace(/\p{Cs}/gu, '\ufffd'),
});

async function link(
  { db }: Dependencies,
  { source, requestedBy }: Job,
  { toAdd, toLink }: SortedAccounts<FoundAccount, KnownPerson>,
): Promise<void> {
  const linkOf = ({ name, nativeId }: FoundAccount): AccountLink => ({
    source,
    name,
    nativeId,
    primary: false,
  });
  for (const { person, account } of toAdd)
    await saveIdentity(db, person, [linkOf(account)], 'refresh', requestedBy);
  for (const { person, account } of toLink)
    await linkAccount(db, person.id, linkOf(account), 'refresh', requestedBy);
}

const sample = (accounts: readonly Pick<FoundAccount, 'name'>[]): Sample => ({
  count: accounts.length,
  first: accounts.slice(0, SAMPLE_SIZE).map(({ name }) => name),
});
