/**
 * The prefix of the kinds in Lockstep's extension of BloodHound OpenGraph. This file defines its kinds of nodes and of
 * edges. An edge is traversable when control of its start gives control of its end; BloodHound searches paths over such
 * edges.
 */
export const NAMESPACE = 'Lockstep';

/** The version of the extension definition. Raise it when a kind is added or removed, or changes its meaning. */
const VERSION = 'v1.0.0';

interface NodeKind {
  readonly title: string;
  readonly says: string;
  /** Name of an icon of Font Awesome. */
  readonly icon: string;
  readonly color: string;
  /** True for a kind that signs in to a system. */
  readonly principal: boolean;
}

export const nodeKinds = {
  Deployment: {
    title: 'Lockstep',
    says: 'One installation of Lockstep: its processes, their keys and its database.',
    icon: 'arrows-rotate',
    color: '#7c3aed',
    principal: false,
  },
  Group: {
    title: 'Sync group',
    says: 'Sources in which the accounts of a person share one password.',
    icon: 'object-group',
    color: '#0f766e',
    principal: false,
  },
  Source: {
    title: 'Source',
    says: 'A system that holds accounts.',
    icon: 'server',
    color: '#1d4ed8',
    principal: false,
  },
  Account: {
    title: 'Account in a source',
    says: 'An account that is linked to a person.',
    icon: 'user',
    color: '#15803d',
    principal: true,
  },
  ServiceAccount: {
    title: 'Service account of Lockstep',
    says: 'The account with which Lockstep signs in to a source.',
    icon: 'user-gear',
    color: '#b45309',
    principal: true,
  },
  ApiKey: {
    title: 'API key of Lockstep',
    says: 'An active key that may do more than read: that of a help desk, an administrator or a relay.',
    icon: 'key',
    color: '#be123c',
    principal: true,
  },
} as const satisfies Record<string, NodeKind>;

export type NodeKindName = keyof typeof nodeKinds;

interface EdgeKind {
  readonly traversable: boolean;
  readonly says: string;
}

export const edgeKinds = {
  PasswordSync: {
    traversable: true,
    says: 'The password of the start becomes the password of the end: from the auth account to the others, and from an account whose changes are captured.',
  },
  SamePassword: {
    traversable: true,
    says: 'The start and the end share one password, at the latest after its next change. A password that is set in the start alone is not carried.',
  },
  ReadPasswordUpdates: {
    traversable: true,
    says: 'Every new password of the account passes through the start, in plaintext unless it was captured as a hash.',
  },
  ReadStoredPassword: {
    traversable: true,
    says: 'The start stores the current password, sealed under its own key, as the credential of single sign-on applications.',
  },
  HoldsCredential: {
    traversable: true,
    says: 'The start signs in with the credential of the end.',
  },
  ResetPassword: {
    traversable: true,
    says: 'The service account may set the password of the account.',
  },
  Administers: {
    traversable: true,
    says: 'The key may change the configuration: where passwords are carried, and with which accounts Lockstep signs in.',
  },
  SetPasswords: {
    traversable: true,
    says: 'The key may set the password of people in the group without the current password.',
  },
  Covers: {
    traversable: true,
    says: 'A password that is set for the group is set in the account.',
  },
  InjectPasswords: {
    traversable: true,
    says: 'A password that the key reports as changed in the source is carried on without the current password.',
  },
  ReportPasswords: {
    traversable: false,
    says: 'The key may report passwords that were changed in the source, but has to send the current password too.',
  },
  HasAccount: {
    traversable: true,
    says: 'The source contains the account.',
  },
  SameAccount: {
    traversable: true,
    says: 'Both nodes are the same account: that of Lockstep, and that of the collector of its system. Drawn in both directions.',
  },
  Contains: {
    traversable: false,
    says: 'The configuration of the deployment contains it.',
  },
  InGroup: {
    traversable: false,
    says: 'The source is in the group, or is its auth source.',
  },
} as const satisfies Record<string, EdgeKind>;

export type EdgeKindName = keyof typeof edgeKinds;

/** The full name of a kind, such as `Lockstep_Account`. */
export const named = (kind: NodeKindName | EdgeKindName): string => `${NAMESPACE}_${kind}`;

/**
 * The body for `PUT /api/v2/extensions` of BloodHound. Without the extension BloodHound shows the edges of Lockstep,
 * but searches no path over them.
 */
export const extensionDefinition = () => ({
  schema: {
    name: NAMESPACE,
    display_name: 'Lockstep',
    version: VERSION,
    namespace: NAMESPACE,
  },
  node_kinds: (Object.keys(nodeKinds) as NodeKindName[]).map((kind) => ({
    name: named(kind),
    display_name: nodeKinds[kind].title,
    description: nodeKinds[kind].says,
    is_display_kind: true,
    icon: nodeKinds[kind].icon,
    color: nodeKinds[kind].color,
  })),
  relationship_kinds: (Object.keys(edgeKinds) as EdgeKindName[]).map((kind) => ({
    name: named(kind),
    description: edgeKinds[kind].says,
    is_traversable: edgeKinds[kind].traversable,
  })),
  environments: [
    {
      environment_kind: named('Deployment'),
      source_kind: NAMESPACE,
      principal_kinds: (Object.keys(nodeKinds) as NodeKindName[])
        .filter((kind) => nodeKinds[kind].principal)
        .map(named),
    },
  ],
  relationship_findings: [],
});
