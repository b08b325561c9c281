import { type PlannedAccount, planChange } from '../change/plan';
import { edge, type GraphEdge, type GraphNode, idOf, node } from './elements';
import type { AccountFacts, GraphView, PersonFacts, SourceTraits } from './facts';

/** An account that is changed when the password of its person changes. */
export interface Member {
  readonly account: AccountFacts;
  readonly isAuth: boolean;
  /** Names of the groups in which it is changed. */
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

/** The edges of the accounts of one person. Their number grows with the number of accounts, not with its square. */
export function personEdges(view: GraphView, person: PersonFacts): GraphEdge[] {
  return [
    ...known(view, person).flatMap(({ account }) => ownEdges(view, account)),
    ...circlesOf(view, person).flatMap((circle) => [
      ...circle.flatMap((member) => coverEdges(view, member)),
      ...syncPairs(circle).flatMap(([start, end]) => syncEdge(view, start, end)),
    ]),
  ];
}

/** The accounts whose source is in the configuration, with the traits of that source. */
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
 * The circles of a person: each holds the accounts that one change would give the same password, by the rules that plan
 * a change. Without an auth account every change is refused, so there is no circle.
 */
export const circlesOf = (view: GraphView, person: PersonFacts): Member[][] =>
  view.clusters
    .map((groups) => {
      const planned = planChange({ groups, sources: view.sources, accounts: person.accounts });
      const members = known(view, person).flatMap(({ account, traits }) => {
        const plan = planned.find(
          ({ accountId, leftOut }) => accountId === account.id && leftOut === null,
        );
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
 * Pairs each account with the one in the middle of the circle, in both directions; a path over the middle reaches all.
 * The middle is the auth account, unless a filter rewrites the password for it.
 */
function syncPairs(circle: readonly Member[]): (readonly [Member, Member])[] {
  const whole = circle.filter(({ traits }) => !traits.filtered);
  const middle =
    whole.find(({ isAuth }) => isAuth) ?? whole[0] ?? circle.find(({ isAuth }) => isAuth);
  if (middle === undefined) return [];
  return circle
    .filter((other) => other !== middle)
    .flatMap((other) => [[middle, other] as const, [other, middle] as const]);
}

/**
 * The kind of edge from `start` to every other account of its circle; null for no edge. The first rule that applies
 * decides.
 */
export const syncKind = (start: Member): 'PasswordSync' | 'SamePassword' | null =>
  syncRules.find(({ applies }) => applies(start))?.kind ?? null;

const syncRules: readonly {
  readonly says: string;
  readonly applies: (start: Member) => boolean;
  readonly kind: 'PasswordSync' | 'SamePassword' | null;
}[] = [
  {
    says: 'A password that is changed in the account is captured and carried to all.',
    applies: ({ traits }) => traits.captures,
    kind: 'PasswordSync',
  },
  {
    says: 'The account holds a rewritten password, which opens no other account.',
    applies: ({ traits }) => traits.filtered,
    kind: null,
  },
  {
    says: 'The auth account goes first, and the others get the password that it took.',
    applies: ({ isAuth }) => isAuth,
    kind: 'PasswordSync',
  },
  {
    says: 'The account holds the password that all hold.',
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
 * The properties of an edge between two accounts. `real` is always true: the end gets the password of the person, never
 * a generated one. `insync` is true when both took the same newest password.
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
