import type { Dependencies } from '../../activities/dependencies';
import type { Connector, FoundAccount } from '../../connectors/contract';
import { log } from '../../log';
import type { AccountReport, Refresh, Sample } from '../../model/api/job-results';
import type { SourceConfiguration } from '../../model/configuration/document';
import type { ErrorCode } from '../../model/errors';
import {
  type CorrelationRule,
  decideSearch,
  ENOUGH_TO_BE_AMBIGUOUS,
  isMatch,
  matchFor,
} from '../../model/people/correlation';
import {
  type LinkReportCode,
  type LinkReports,
  linkReports,
} from '../../model/people/link-reports';
import { notedProblems } from '../../model/people/links';
import { type AccountRules, isSameName, type Naming } from '../../model/people/naming';
import { type SortedAccounts, sortAccounts } from '../../model/people/refresh';
import { saveIdentity } from '../../store/people/identities';
import {
  type AccountLink,
  learnAccounts,
  linkAccount,
  noteProblem,
  readLinks,
} from '../../store/people/links';
import { type KnownPerson, readPeople } from '../../store/people/matching';
import type { SourceJob } from '../../store/sources/jobs';

const PAGE_SIZE = 500;
const SAMPLE_SIZE = 20;

/**
 * Reads all accounts of a source, page by page, stores the ids and names of those that are linked, and links each other
 * account to the person that the correlation rules find. A preview does the same without writing. A partial list links
 * nothing.
 */
export async function refreshSource(
  deps: Dependencies,
  job: SourceJob,
  source: SourceConfiguration,
  connector: Connector,
  rules: AccountRules,
): Promise<Refresh> {
  const preview = job.parameters.preview === true;
  const { accounts, unreadable, nameless, failed } = await listAll(connector);
  const skipped = [...unreadable.map(shown), ...nameless];
  if (skipped.length > 0)
    log.warn('a refresh skipped accounts that have no name, or text that cannot be stored', {
      source: job.source,
      count: skipped.length,
    });
  const sorted = sortAccounts({
    accounts,
    unreadable,
    complete: failed === null && nameless.length === 0,
    rules,
    correlate: source.correlate,
    createIdentities: source.createIdentities,
    people: await readPeople(deps.db),
    links: await readLinks(deps.db, job.source),
  });
  const toLink =
    failed !== null
      ? []
      : nameless.length === 0
        ? sorted.toLink
        : await confirmed(connector, source.correlate, rules.naming, sorted.toLink);
  const toAdd = failed === null ? sorted.toAdd : [];
  if (!preview) {
    await learnAccounts(deps.db, job.source, sorted.seen, rules.naming, job.requestedBy);
    for (const problem of notedProblems) {
      const links = sorted.problems[problem].map(({ id }) => id);
      await noteProblem(deps.db, links, problem);
    }
    await link(deps, job, rules, toLink, toAdd);
  }
  return {
    preview,
    read: accounts.length + skipped.length,
    linked: toLink.length + toAdd.length,
    alreadyLinked: sorted.seen.length,
    peopleAdded: toAdd.length,
    unmatched: sample(sorted.unmatched.map(({ name }) => name)),
    ambiguous: sample([
      ...sorted.ambiguous.map(({ name }) => name),
      ...sorted.toLink.filter((one) => !toLink.includes(one)).map(({ account }) => account.name),
    ]),
    unreadable: sample(skipped),
    reports: reportsOf(sorted.reports),
    failed,
  };
}

interface Listed {
  readonly accounts: FoundAccount[];
  /** Accounts with text that cannot be stored. */
  readonly unreadable: FoundAccount[];
  /** Accounts of which the source reported no more than an id or a position. */
  readonly nameless: string[];
  readonly failed: ErrorCode | null;
}

async function listAll(connector: Connector): Promise<Listed> {
  const listed: Listed = { accounts: [], unreadable: [], nameless: [], failed: null };
  let cursor: string | null = null;
  do {
    const page = await connector.list({ cursor, pageSize: PAGE_SIZE });
    if (page.result === 'failed') return { ...listed, failed: page.reason };
    for (const account of page.accounts)
      (isReadable(account) ? listed.accounts : listed.unreadable).push(account);
    listed.nameless.push(...(page.malformed ?? []));
    cursor = page.cursor;
  } while (cursor !== null);
  return listed;
}

type ToLink = SortedAccounts<FoundAccount, KnownPerson>['toLink'];

/** Number of searches at the same time. */
const SEARCHES_AT_ONCE = 8;

/**
 * The matches that a search of the source confirms. An account that could not be read may match the same person, and
 * only the source can know.
 */
async function confirmed(
  connector: Connector,
  correlate: readonly CorrelationRule[],
  naming: Naming,
  candidates: ToLink,
): Promise<ToLink> {
  const isOnlyMatch = async ({ person, account }: ToLink[number]): Promise<boolean> => {
    const rule = correlate.find((one) => isMatch(naming, one, person, account.attributes));
    const match = rule === undefined ? null : matchFor(rule, person);
    if (match === null) return false;
    const answer = await connector.find({ match, limit: ENOUGH_TO_BE_AMBIGUOUS });
    return (
      answer.result === 'found' &&
      decideSearch(naming, match, answer.accounts).found === 'one' &&
      answer.accounts.every(({ name }) => isSameName(naming, name, account.name))
    );
  };
  const found: ToLink[number][] = [];
  for (let at = 0; at < candidates.length; at += SEARCHES_AT_ONCE) {
    const batch = candidates.slice(at, at + SEARCHES_AT_ONCE);
    const isConfirmed = await Promise.all(batch.map(isOnlyMatch));
    found.push(...batch.filter((_, index) => isConfirmed[index]));
  }
  return found;
}

/** Whether PostgreSQL can store every text of the account, and the account has a name. */
const isReadable = ({ name, nativeId, attributes }: FoundAccount): boolean =>
  name !== '' && [name, nativeId ?? '', ...Object.values(attributes).flat()].every(isStorable);

const isStorable = (text: string): boolean => !text.includes('\0') && !/\p{Cs}/u.test(text);

/** The name in a form that can be stored and shown, or the attributes of an account without a name. */
const shown = ({ name, attributes }: FoundAccount): string =>
  (name || Object.values(attributes).flat().join(', ') || '(no name)')
    .replaceAll('\0', '\ufffd')
    .replace(/\p{Cs}/gu, '\ufffd');

async function link(
  { db }: Dependencies,
  { source, requestedBy }: SourceJob,
  rules: AccountRules,
  toLink: ToLink,
  toAdd: SortedAccounts<FoundAccount, KnownPerson>['toAdd'],
): Promise<void> {
  const linkOf = ({ name, nativeId }: FoundAccount): AccountLink => ({
    source,
    name,
    nativeId,
    primary: false,
  });
  for (const { person, account } of toAdd)
    await saveIdentity(db, person, [linkOf(account)], 'refresh', requestedBy, () => rules);
  for (const { person, account } of toLink)
    await linkAccount(db, person.id, linkOf(account), 'refresh', requestedBy, rules);
}

const sample = (names: readonly string[]): Sample => ({
  count: names.length,
  first: names.slice(0, SAMPLE_SIZE),
});

const reportsOf = (reports: LinkReports): AccountReport[] =>
  (Object.keys(linkReports) as LinkReportCode[])
    .map((code) => ({
      code,
      says: linkReports[code],
      count: reports[code].length,
      first: reports[code].slice(0, SAMPLE_SIZE),
    }))
    .filter(({ count }) => count > 0);
