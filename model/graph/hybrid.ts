import { type Endpoint, edge, edgeOf, type GraphEdge, idOf } from './elements';
import type { GraphView, PersonFacts } from './facts';
import { circlesOf, type Member, syncKind, syncProperties } from './person';
import { serviceAccountOf } from './topology';

/**
 * How the collector of a kind of source identifies an account; null when Lockstep does not know the id that it uses.
 *
 * The edges to such nodes go into a file of their own without a source kind, because BloodHound would otherwise mark
 * those nodes as nodes of Lockstep, and delete them together with them.
 */
const foreignUser: Readonly<
  Record<
    string,
    (account: { readonly name: string; readonly nativeId: string | null }) => Endpoint | null
  >
> = {
  'active-directory': ({ name }) => adUser(name),
  okta: ({ nativeId }) =>
    nativeId === null ? null : { match_by: 'id', value: nativeId, kind: 'Okta_User' },
  entra: ({ nativeId }) =>
    nativeId === null ? null : { match_by: 'id', value: nativeId.toUpperCase(), kind: 'AZUser' },
};

/**
 * A user of Active Directory, matched by DN: BloodHound identifies users by SID, which Lockstep does not read.
 * BloodHound keeps the DN in upper case, converted character by character, so that ß stays.
 */
const adUser = (dn: string): Endpoint | null =>
  dn.includes('=')
    ? {
        match_by: 'property',
        property_matchers: [
          { key: 'distinguishedname', operator: 'equals', value: inUpperCase(dn) },
        ],
        kind: 'User',
      }
    : null;

const inUpperCase = (text: string): string =>
  [...text]
    .map((letter) => ([...letter.toUpperCase()].length === 1 ? letter.toUpperCase() : letter))
    .join('');

/** The edges of service accounts that are users of a domain. */
export const hybridTopology = (view: GraphView): GraphEdge[] =>
  [...view.traits].flatMap(([source, { kind }]) => {
    const name = serviceAccountOf(view, source);
    const user = kind === 'active-directory' && name !== null ? adUser(name) : null;
    return user === null ? [] : sameAccount(idOf(view, 'ServiceAccount', source), user);
  });

/** The edges that tie the accounts of a person to the nodes that other collectors made of them. */
export function hybridEdges(view: GraphView, person: PersonFacts): GraphEdge[] {
  return [
    ...person.accounts.flatMap((account) => {
      const user = userOf(account, view.traits.get(account.source)?.kind);
      return user === null ? [] : sameAccount(idOf(view, 'Account', account.id), user);
    }),
    ...circlesOf(view, person).flatMap((circle) => oktaEdges(view, circle)),
  ];
}

const userOf = (
  account: Parameters<(typeof foreignUser)[string]>[0],
  kind = '',
): Endpoint | null =>
  Object.hasOwn(foreignUser, kind) ? (foreignUser[kind]?.(account) ?? null) : null;

const sameAccount = (ours: string, theirs: Endpoint): GraphEdge[] => [
  edge('SameAccount', ours, theirs),
  edge('SameAccount', theirs, ours),
];

/**
 * Edges of the kinds that the Okta extension defines, where its collector would draw them if Okta synchronized the
 * passwords (reference semantics §4.2).
 */
function oktaEdges(view: GraphView, circle: readonly Member[]): GraphEdge[] {
  const users = circle.flatMap((member) => {
    const user = userOf(member.account, member.traits.kind);
    return user === null ? [] : [{ member, user, isOkta: member.traits.kind === 'okta' }];
  });
  const reads = users
    .filter(({ isOkta }) => isOkta)
    .map(({ user }) => edgeOf('Okta_ReadPasswordUpdates', view.deploymentId, user, {}));
  // Between a domain and Okta in both directions, and from one Okta organization to another.
  const syncs = users
    .filter(({ member }) => syncKind(member) === 'PasswordSync')
    .flatMap((start) =>
      users
        .filter((end) => end !== start && (start.isOkta || end.isOkta))
        .map((end) =>
          edgeOf(
            'Okta_PasswordSync',
            start.user,
            end.user,
            syncProperties(start.member, end.member),
          ),
        ),
    );
  return [...reads, ...syncs];
}
