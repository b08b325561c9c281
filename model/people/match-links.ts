import { grouped } from './correlate-all';
import type { LinkReportCode, LinkReports, ReportedAccount } from './link-reports';
import { type Link, type LinkMatch, linkOf, type NotedProblem } from './links';
import type { AccountRules, NamedAccount, Naming } from './naming';

export interface LinkOfPerson extends Link {
  /** The name of the person. */
  readonly person: string;
}

/** A link whose account is listed, with the account. */
export interface SeenLink<Account> {
  readonly link: LinkOfPerson;
  readonly account: Account;
  /** False while another link has the name of the account, so that it cannot be stored. */
  readonly takesName: boolean;
}

export interface MatchedLinks<Account> {
  readonly seen: readonly SeenLink<Account>[];
  /** Accounts that may be linked. */
  readonly free: readonly Account[];
  /** Links whose stored id is not that of the account with the name. */
  readonly problems: Readonly<Record<NotedProblem, readonly LinkOfPerson[]>>;
  readonly reports: LinkReports;
}

/**
 * Compares the accounts that a source lists with its links: by id first if it lasts, then by name.
 * @param unreadable accounts that are in the source, and of which nothing else is certain
 * @param complete false when accounts may be missing in the list; then none is reported as vanished or created again
 */
export function matchLinks<Account extends NamedAccount>(
  rules: AccountRules,
  accounts: readonly Account[],
  links: readonly LinkOfPerson[],
  unreadable: readonly NamedAccount[],
  complete: boolean,
): MatchedLinks<Account> {
  const { naming } = rules;
  const [linked, listed] = [indexOf(naming, links), indexOf(naming, accounts)];
  const hidden = indexOf(naming, unreadable);
  const own = accounts.filter(({ name }) => rules.isServiceAccount(name));
  const isOwn = new Set(own);
  const twice = accounts.filter(
    (account) => !isOwn.has(account) && listed.like(account).length > 1,
  );
  const isTwice = new Set(twice);
  const found = accounts
    .filter((account) => !isOwn.has(account) && !isTwice.has(account))
    .map((account) => ({ account, ...linkOf(naming, linked.like(account), account) }));
  const seen = found.filter((one) => one.match === 'one');
  const seenLinks = new Set(seen.map(({ link }) => link));
  const state = (link: LinkOfPerson): LinkReportCode | null => {
    if (rules.isServiceAccount(link.name)) return 'service_account';
    if (link.problem === 'linked_twice' || shared.has(link)) return 'duplicate';
    if (!complete || hidden.like(link).length > 0) return null;
    if (listed.named(link).length > 0) return 'recreated';
    return listed.identified(link).length > 0 ? 'id_renamed' : 'vanished';
  };
  const shared = new Set([
    ...found.flatMap((one) => (one.match === 'contested' ? one.meant : [])),
    ...twice.flatMap((account) => linked.like(account)),
  ]);
  const rest = links
    .filter((link) => !seenLinks.has(link))
    .map((link) => ({ link, is: state(link) }));
  const inState = (code: LinkReportCode) =>
    rest.filter(({ is }) => is === code).map(({ link }) => link);
  const isReported = reportedBy(listed, state);
  const withName = withNames(naming, seen, links);
  const renamed = withName.filter(
    ({ link, account }) => naming.canonicalName(link.name) !== naming.canonicalName(account.name),
  );
  const following = renamed.filter(({ takesName }) => takesName);
  const isMoved = ({ link, account }: Seen) =>
    isSameFirstPart(naming.canonicalName(link.name), naming.canonicalName(account.name));
  return {
    seen: withName,
    free: found.filter((one) => isFree(one, seenLinks)).map(({ account }) => account),
    problems: {
      account_replaced: inState('recreated'),
      account_renamed: inState('id_renamed'),
      no_account: inState('vanished'),
      service_account: inState('service_account'),
    },
    reports: {
      renamed: following.filter((one) => !isMoved(one)).map(asRenamed),
      moved: following.filter(isMoved).map(asRenamed),
      name_taken: renamed.filter(({ takesName }) => !takesName).map(asRenamed),
      id_renamed: inState('id_renamed').map((link) =>
        asLinked(link, listed.identified(link)[0]?.name),
      ),
      recreated: inState('recreated').map((link) => asLinked(link)),
      vanished: inState('vanished').map((link) => asLinked(link)),
      uncertain: found
        .filter((one) => one.match === 'contested' && !isFree(one, seenLinks) && !isReported(one))
        .map(({ account }) => asListed(account)),
      duplicate: [...inState('duplicate').map((link) => asLinked(link)), ...twice.map(asListed)],
      service_account: [
        ...inState('service_account').map((link) => asLinked(link)),
        ...own.filter((account) => linked.like(account).length === 0).map(asListed),
      ],
    },
  };
}

/** Finds accounts, or links, by canonical name and by id. */
function indexOf<Item extends NamedAccount>(naming: Naming, items: readonly Item[]) {
  const byName = grouped(items, ({ name }) => [naming.canonicalName(name)]);
  const byId = grouped(items, ({ nativeId }) => (nativeId === null ? [] : [nativeId]));
  const named = ({ name }: NamedAccount) => byName.get(naming.canonicalName(name)) ?? [];
  const identified = ({ nativeId }: NamedAccount) =>
    nativeId === null ? [] : (byId.get(nativeId) ?? []);
  const like = (account: NamedAccount) => [...new Set([...named(account), ...identified(account)])];
  return { named, identified, like };
}

/** Whether what is reported about a link is about this account, so that the account is not reported again. */
const reportedBy =
  <Account extends NamedAccount>(
    { named, identified }: ReturnType<typeof indexOf<Account>>,
    state: (link: LinkOfPerson) => LinkReportCode | null,
  ) =>
  (found: LinkMatch<LinkOfPerson> & { readonly account: Account }): boolean =>
    found.match === 'contested' &&
    found.links.some((link) => {
      const code = state(link);
      if (code === 'recreated') return named(link).includes(found.account);
      if (code === 'id_renamed') return identified(link)[0] === found.account;
      return code === 'duplicate' && found.meant.includes(link);
    });

/** An account may also be linked if it has the former name of an account that was renamed. */
const isFree = (found: LinkMatch<LinkOfPerson>, seenLinks: ReadonlySet<LinkOfPerson>): boolean =>
  found.match === 'none' ||
  (found.match === 'contested' && found.links.every((link) => seenLinks.has(link)));

/** Decides which links take the name that their account has now. Two renamed accounts may exchange their names. */
function withNames<Account extends NamedAccount>(
  { canonicalName }: Naming,
  seen: readonly { readonly link: LinkOfPerson; readonly account: Account }[],
  links: readonly LinkOfPerson[],
): SeenLink<Account>[] {
  const leaving = new Set(
    seen
      .filter(({ link, account }) => canonicalName(link.name) !== canonicalName(account.name))
      .map(({ link }) => link),
  );
  const kept = new Set(
    links.filter((link) => !leaving.has(link)).map(({ name }) => canonicalName(name)),
  );
  return seen.map(({ link, account }) => ({
    link,
    account,
    takesName: !leaving.has(link) || !kept.has(canonicalName(account.name)),
  }));
}

/** Whether two names differ only in what follows their first part: two DNs with the same RDN. */
function isSameFirstPart(one: string, other: string): boolean {
  const [first, second] = [one, other].map(
    (name) => /^[^=,]+=(?:[^,\\]|\\.)+(?=,)/.exec(name)?.[0],
  );
  return first !== undefined && first === second;
}

interface Seen {
  readonly link: LinkOfPerson;
  readonly account: NamedAccount;
}

const asRenamed = ({ link, account }: Seen): ReportedAccount => asLinked(link, account.name);

const asLinked = ({ name, person }: LinkOfPerson, now: string | null = null): ReportedAccount => ({
  name,
  now,
  person,
});

const asListed = ({ name }: NamedAccount): ReportedAccount => ({ name, now: null, person: null });
