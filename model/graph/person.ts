import { type PlannedAccount, planChange } from '../change/plan';
import { edge, type GraphEdge, type GraphNode, idOf, node } from './elements';
import type { AccountFacts, GraphView, PersonFacts, SourceTraits } from './facts';

/** What follows from the accounts of one person. Their number grows with the accounts, not with its square. */

/** An account that takes part when the password of its person changes. */
export interface Member {
  readonly account: AccountFacts;
  readonly isAuth: boolean;
  /** The groups in which it takes part. */
  readonly groups: readonly string[];
  readonly traits: SourceTraits;
}

export const personNodes = (view: GraphView, person: PersonFacts): GraphNode[] =>
  known(view, person).map(({ account: { id, source, name, nativeId, ...account }, traits }) =>
    node(view, 'Account', idOf(view, 'Account', id), {
      name: `${name}@${source}`,
      account: name,
      nativeid: nativeId ?? undefined,
      person: person.name,
      source,
      connector: traits.kind,
      primary: account.primary,
      lastsuccess: account.lastSuccess ?? undefined,
    }),
  );

export function personEdges(view: GraphView, person: PersonFacts): GraphEdge[] {
  return [
    ...known(view, person).flatMap(({ account }) => ownEdges(view, account)),
    ...circlesOf(view, person).flatMap((circle) => [
      ...circle.flatMap((member) => coverEdges(view, member)),
      ...syncPairs(circle).flatMap(([start, end]) => syncEdge(view, start, end)),
    ]),
  ];
}

/** Accounts of sources that are in the configuration: of others we know nothing any more. */
const known = (view: GraphView, { accounts }: PersonFacts) =>
  accounts.flatMap((account) => {
    const traits = view.traits.get(account.source);
    return traits === undefined ? [] : [{ account, traits }];
  });

function ownEdges(view: GraphView, { id, source, storedFor }: AccountFacts): GraphEdge[] {
  const at = idOf(view, 'Account', id);
  return [
    edge('HasAccount', idOf(view, 'Source', source), at),
    edge('ResetPassword', idOf(view, 'ServiceAccount', source), at),
    ...(storedFor.length === 0
      ? []
      : [edge('ReadStoredPassword', view.deploymentId, at, { applications: storedFor })]),
  ];
}

/**
 * The accounts that one change would give one password, by the rules that plan it. Without an auth account that can be
 * asked, every change is refused, and nothing is kept in step.
 */
export const circlesOf = (view: GraphView, person: PersonFacts): Member[][] =>
  view.clusters
    .map((groups) => {
      const planned = planChange({ groups, sources: view.sources, accounts: person.accounts });
      const members = known(view, person).flatMap(({ account, traits }) => {
        const plan = planned.find((one) => one.accountId === account.id && one.leftOut === null);
        return plan === undefined ? [] : [{ account, traits, ...partOf(plan, groups) }];
      });
      return members.some(({ isAuth }) => isAuth) ? members : [];
    })
    .filter((circle) => circle.length > 0);

const partOf = (
  { role, source }: PlannedAccount,
  groups: readonly { readonly name: string; readonly sources: readonly string[] }[],
) => ({
  isAuth: role === 'auth',
  groups: groups
    .filter(({ sources }) => role === 'auth' || sources.includes(source))
    .map(({ name }) => name),
});

const coverEdges = (view: GraphView, { account, groups }: Member): GraphEdge[] => {
  const at = idOf(view, 'Account', account.id);
  return [
    edge('ReadPasswordUpdates', view.deploymentId, at),
    ...groups.map((group) => edge('Covers', idOf(view, 'Group', group), at)),
  ];
};

/**
 * Each with one in their middle, in both directions: whoever gets to that one gets to all. It is the auth account, unless
 * that holds less than the password.
 */
function syncPairs(circle: readonly Member[]): (readonly [Member, Member])[] {
  const whole = circle.filter(({ traits }) => !traits.filtered);
  const middle = whole.find(({ isAuth }) => isAuth) ?? whole[0] ?? circle.find((one) => one.isAuth);
  if (middle === undefined) return [];
  return circle
    .filter((other) => other !== middle)
    .flatMap((other) => [[middle, other] as const, [other, middle] as const]);
}

/** What having the password of `start` means for `end`; null: nothing. The rows are tried from the top. */
export const syncKind = (start: Member): 'PasswordSync' | 'SamePassword' | null =>
  syncRules.find(({ applies }) => applies(start))?.kind ?? null;

const syncRules: readonly {
  readonly says: string;
  readonly applies: (start: Member) => boolean;
  readonly kind: 'PasswordSync' | 'SamePassword' | null;
}[] = [
  {
    says: 'A password that is changed there is captured, and carried to all.',
    applies: ({ traits }) => traits.captures,
    kind: 'PasswordSync',
  },
  {
    says: 'It holds what a filter left of the password: that opens nothing else.',
    applies: ({ traits }) => traits.filtered,
    kind: null,
  },
  {
    says: 'The auth account goes first, and the others get what it took.',
    applies: ({ isAuth }) => isAuth,
    kind: 'PasswordSync',
  },
  {
    says: 'It holds what all hold.',
    applies: () => true,
    kind: 'SamePassword',
  },
];

function syncEdge(view: GraphView, start: Member, end: Member): GraphEdge[] {
  const kind = syncKind(start);
  const [from, to] = [start, end].map(({ account }) => idOf(view, 'Account', account.id));
  if (kind === null || from === undefined || to === undefined) return [];
  return [edge(kind, from, to, syncProperties(start, end))];
}

/**
 * `real`: it is the password of the person, never one that was made up for the end. `insync`: the newest password that the
 * one took is that of the other, too.
 */
export const syncProperties = (start: Member, end: Member) => ({
  real: true,
  hashonly: end.traits.hashOnly,
  filtered: end.traits.filtered,
  weakened: end.traits.weakened,
  captured: start.traits.captures,
  needscurrent: start.traits.captures && start.traits.needsCurrent,
  insync: start.account.appliedSeq > 0 && start.account.appliedSeq === end.account.appliedSeq,
  lastsuccess: end.account.lastSuccess ?? undefined,
});
