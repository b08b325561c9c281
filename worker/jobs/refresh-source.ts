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
 * preview does the same without writing.
 */
export async function refreshSource(
  deps: Dependencies,
  job: Job,
  source: SourceConfiguration,
  connector: Connector,
): Promise<Refresh> {
  const preview = job.parameters.preview === true;
  const { accounts, failed } = await listAll(job.source, connector);
  const sorted = sortAccounts({
    accounts,
    correlate: source.correlate,
    createIdentities: source.createIdentities,
    people: await readPeople(deps.db),
    linked: await readLinkedNames(deps.db, job.source),
  });
  if (!preview) await link(deps, job, sorted);
  return {
    preview,
    read: accounts.length,
    linked: sorted.toLink.length + sorted.toAdd.length,
    alreadyLinked: sorted.alreadyLinked,
    peopleAdded: sorted.toAdd.length,
    unmatched: sample(sorted.unmatched),
    ambiguous: sample(sorted.ambiguous),
    failed,
  };
}

async function listAll(
  source: string,
  connector: Connector,
): Promise<{ accounts: FoundAccount[]; failed: ErrorCode | null }> {
  const accounts: FoundAccount[] = [];
  let cursor: string | null = null;
  do {
    const page = await connector.list({ cursor, pageSize: PAGE_SIZE });
    if (page.result === 'failed') return { accounts, failed: page.reason };
    accounts.push(...page.accounts);
    for (const account of page.malformed ?? [])
      log.warn('An account of the source cannot be read and is left out', { source, account });
    cursor = page.cursor;
  } while (cursor !== null);
  return { accounts, failed: null };
}

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

const sample = (accounts: readonly FoundAccount[]): Sample => ({
  count: accounts.length,
  first: accounts.slice(0, SAMPLE_SIZE).map(({ name }) => name),
});
