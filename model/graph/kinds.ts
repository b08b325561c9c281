/**
 * The words of our extension of BloodHound OpenGraph: what can be a node, what an edge says, and whether whoever has the
 * start has the end (then BloodHound walks over it when it looks for paths).
 */
export const NAMESPACE = 'Lockstep';

/** Of the extension definition; grows when a kind comes, goes or means something else. */
const VERSION = 'v1.0.0';

interface NodeKind {
  readonly title: string;
  readonly says: string;
  /** Of Font Awesome. */
  readonly icon: string;
  readonly color: string;
  /** It signs in somewhere. */
  readonly principal: boolean;
}

export const nodeKinds = {
  Deployment: {
    title: 'Lockstep',
    says: 'Everything that runs Lockstep: its processes, their keys and the database.',
    icon: 'arrows-rotate',
    color: '#7c3aed',
    principal: false,
  },
  Group: {
    title: 'Sync group',
    says: 'Sources whose accounts of a person have one password.',
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
    says: 'As whom Lockstep signs in to a source.',
    icon: 'user-gear',
    color: '#b45309',
    principal: true,
  },
  ApiKey: {
    title: 'API key of Lockstep',
    says: 'A key in use that may do more than read: of a help desk, an administrator, a relay that captures.',
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
    says: 'Whoever knows the password of the start knows that of the end, at the latest when it changes again. What is set in the start alone is not carried.',
  },
  ReadPasswordUpdates: {
    traversable: true,
    says: 'Every new password of the account passes through the start, in clear unless it was captured as a hash.',
  },
  ReadStoredPassword: {
    traversable: true,
    says: 'The start holds the current password, sealed under its own key, as credential of single sign-on applications.',
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
    says: 'The key may change the configuration: where passwords go, and as whom Lockstep signs in.',
  },
  SetPasswords: {
    traversable: true,
    says: 'The key may set the password of people in the group without knowing the one before.',
  },
  Covers: {
    traversable: true,
    says: 'A password that is set for the group is set for the account.',
  },
  InjectPasswords: {
    traversable: true,
    says: 'What the key reports as changed in the source is carried on without asking for the password before.',
  },
  ReportPasswords: {
    traversable: false,
    says: 'The key may report passwords that were changed in the source, but has to bring the one before.',
  },
  HasAccount: {
    traversable: true,
    says: 'The source holds the account.',
  },
  SameAccount: {
    traversable: true,
    says: 'Both are one account: ours, and that of the collector of its system. In both directions.',
  },
  Contains: {
    traversable: false,
    says: 'The deployment is configured with it.',
  },
  InGroup: {
    traversable: false,
    says: 'The source is one of the group, or its auth source.',
  },
} as const satisfies Record<string, EdgeKind>;

export type EdgeKindName = keyof typeof edgeKinds;

/** `Lockstep_Account` */
export const named = (kind: NodeKindName | EdgeKindName): string => `${NAMESPACE}_${kind}`;

/** For `PUT /api/v2/extensions` of BloodHound: without it, edges of ours are shown, but no path leads over them. */
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
