import type { Dependencies } from '../../activities/dependencies';
import type { Connector, FoundAccount } from '../../connectors/contract';
import { log } from '../../log';
import type { AccountReport, Refresh, Sample } from '../../model/api/job-results';
import type { Configuration, SourceConfiguration } from '../../model/configuration/document';
import { attributeUpdates } from '../../model/people/attribute-updates';
import {
  type LinkReportCode,
  type LinkReports,
  linkReports,
} from '../../model/people/link-reports';
import { notedProblems } from '../../model/people/links';
import type { AccountRules } from '../../model/people/naming';
import type { KnownPerson } from '../../model/people/refresh';
import { type SortedAccounts, sortAccounts } from '../../model/people/refresh';
import { readAttributeOwners, updateAttributes } from '../../store/people/attributes';
import { saveIdentity } from '../../store/people/identities';
import {
  type AccountLink,
  learnAccounts,
  linkAccount,
  noteProblem,
  readLinks,
} from '../../store/people/links';
import { readPeople } from '../../store/people/matching';
import { reportProgress, type SourceJob } from '../../store/sources/jobs';
import { confirmedMatches, type ToLink } from './confirm-matches';
import { handleLeavers, type LeaversFound, leaversIn } from './leavers';
import { type Listed, listAccounts, shownName } from './list-accounts';
import { type ReportStep, steps } from './report-progress';

const SAMPLE_SIZE = 20;

type Sorted = SortedAccounts<FoundAccount, KnownPerson>;

/**
 * Reads all accounts of a source, page by page, and brings links and people up to date with them: it stores ids and
 * names of linked accounts and the attributes of their people, links each other account to the person that the
 * correlation rules find, and handles accounts that are missing. A preview does the same without writing. A partial list
 * links and unlinks nothing.
 */
export async function refreshSource(
  deps: Dependencies,
  job: SourceJob,
  source: SourceConfiguration,
  connector: Connector,
  rules: AccountRules,
  configuration: Pick<Configuration, 'groups' | 'sources'>,
): Promise<Refresh> {
  const preview = job.parameters.preview === true;
  const report = steps((progress) => reportProgress(deps.db, job.id, progress));
  const listed = await listAccounts(connector, report.step('reading', null));
  const skipped = [...listed.unreadable.map(shownName), ...listed.nameless];
  if (skipped.length > 0)
    log.warn('a refresh skipped accounts that have no name, or text that cannot be stored', {
      source: job.source,
      count: skipped.length,
    });
  const people = await readPeople(deps.db);
  const sorted = await sort(deps, job, source, rules, listed, people);
  const matches = await matchesOf(source, connector, rules, listed, sorted);
  const leavers = await leaversIn(deps.db, job, source, configuration, listed, sorted);
  const updates = await updatesOf(deps, source, configuration, sorted, people);
  let { due: unlinked } = leavers;
  if (!preview) {
    await learnAccounts(deps.db, job.source, sorted.seen, rules.naming, job.requestedBy);
    await updateAttributes(deps.db, job.source, updates, job.requestedBy);
    for (const problem of notedProblems) {
      if (problem === 'no_account' && leavers.suspicious) continue;
      const links = sorted.problems[problem].map(({ id }) => id);
      await noteProblem(deps.db, links, problem);
    }
    const ids = await handleLeavers(deps.db, job, leavers);
    unlinked = unlinked.filter(({ id }) => ids.includes(id));
    await link(
      deps,
      job,
      rules,
      matches,
      report.step('linking', matches.toAdd.length + matches.toLink.length),
    );
  }
  return {
    preview,
    peopleUpdated: updates.length,
    unlinked: sample(unlinked.map(({ name }) => name)),
    ...resultOf(listed, skipped, sorted, matches, leavers),
  };
}

/** Compares what the source lists with the people and with the links of the source. */
const sort = async (
  { db }: Dependencies,
  job: SourceJob,
  { correlate, createIdentities }: SourceConfiguration,
  rules: AccountRules,
  { accounts, unreadable, nameless, failed }: Listed,
  people: readonly KnownPerson[],
): Promise<Sorted> =>
  sortAccounts({
    ...{ accounts, unreadable, rules, correlate, createIdentities, people },
    complete: failed === null && nameless.length === 0,
    links: await readLinks(db, job.source),
  });

interface Matches {
  readonly toLink: ToLink;
  readonly toAdd: Sorted['toAdd'];
}

async function matchesOf(
  { correlate }: SourceConfiguration,
  connector: Connector,
  { naming }: AccountRules,
  { failed, nameless }: Listed,
  { toLink, toAdd }: Sorted,
): Promise<Matches> {
  if (failed !== null) return { toLink: [], toAdd: [] };
  return {
    toAdd,
    toLink:
      nameless.length === 0 ? toLink : await confirmedMatches(connector, correlate, naming, toLink),
  };
}

async function updatesOf(
  { db }: Dependencies,
  { createIdentities }: SourceConfiguration,
  { sources }: Pick<Configuration, 'sources'>,
  { seen }: Sorted,
  people: readonly KnownPerson[],
) {
  const given = createIdentities?.attributes ?? {};
  if (Object.keys(given).length === 0) return [];
  const adding = Object.keys(sources).filter((name) => sources[name]?.createIdentities);
  const owners = await readAttributeOwners(db, adding);
  return attributeUpdates(seen, people, given, ({ id }) => owners.has(id));
}

async function link(
  { db }: Dependencies,
  { source, requestedBy }: SourceJob,
  rules: AccountRules,
  { toLink, toAdd }: Matches,
  report: ReportStep,
): Promise<void> {
  const linkOf = ({ name, nativeId }: FoundAccount): AccountLink => ({
    source,
    name,
    nativeId,
    primary: false,
  });
  let done = 0;
  for (const { person, account } of toAdd) {
    await saveIdentity(db, person, [linkOf(account)], 'refresh', requestedBy, () => rules);
    await report(++done);
  }
  for (const { person, account } of toLink) {
    await linkAccount(db, person.id, linkOf(account), 'refresh', requestedBy, rules);
    await report(++done);
  }
}

const resultOf = (
  { accounts, failed }: Listed,
  skipped: readonly string[],
  sorted: Sorted,
  { toLink, toAdd }: Matches,
  leavers: LeaversFound,
): Omit<Refresh, 'preview' | 'peopleUpdated' | 'unlinked'> => ({
  read: accounts.length + skipped.length,
  linked: toLink.length + toAdd.length,
  alreadyLinked: sorted.seen.length,
  peopleAdded: toAdd.length,
  leavers: sample(leavers.people),
  suspicious: leavers.suspicious,
  unmatched: sample(sorted.unmatched.map(({ name }) => name)),
  ambiguous: sample([
    ...sorted.ambiguous.map(({ name }) => name),
    ...sorted.toLink.filter((one) => !toLink.includes(one)).map(({ account }) => account.name),
  ]),
  unreadable: sample(skipped),
  reports: reportsOf(sorted.reports),
  failed,
});

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
