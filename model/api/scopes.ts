/** What one route needs. Every route names one right, and a key has only the rights of its scopes. */
export type Right =
  | 'me'
  | 'change-own'
  | 'look-up'
  | 'change'
  | 'control-changes'
  | 'help'
  | 'read-jobs'
  | 'read'
  | 'read-people'
  | 'read-audit'
  | 'operate'
  | 'configure'
  | 'set-credentials'
  | 'enrol-relay'
  | 'relay'
  | 'capture'
  | 'adapter'
  | 'sign-in'
  | 'administer';

interface ScopeRow {
  /** What a key with the scope may do; continues "A key with the scope may". */
  readonly may: string;
  readonly rights: readonly Right[];
  /** Whether a key with the scope can be limited to groups. */
  readonly bindable: boolean;
}

const table = {
  person: {
    may: 'see the accounts, applications, changes and notices of the person that the key is bound to, change the password with the current one, store a verified credential of an application, and enable and disable it',
    rights: ['me', 'change-own', 'set-credentials'],
    bindable: false,
  },
  'change-own': {
    may: 'change the password of a person who gives the current one, and store a verified credential of an application',
    rights: ['change-own', 'set-credentials'],
    bindable: true,
  },
  lookup: {
    may: 'at the lookup service: read the stored credentials of the person whom the key is bound to, issue tickets of that person, and redeem tickets of applications that this person administers',
    rights: ['look-up'],
    bindable: false,
  },
  'help-desk': {
    may: 'see people and changes, start, cancel and retry changes, also without the current password, unlock accounts and force a change at the next login; the key names its agent',
    rights: [
      ...['change-own', 'change', 'control-changes', 'help', 'read', 'read-jobs', 'read-people'],
    ] as readonly Right[],
    bindable: true,
  },
  trigger: {
    may: 'start, cancel and retry changes, also without the current password',
    rights: ['change-own', 'change', 'control-changes'],
    bindable: true,
  },
  capture: {
    may: 'report passwords that were changed in a source',
    rights: ['capture'],
    bindable: true,
  },
  'sign-in': {
    may: 'report sign-ins, and learn whether the password is right',
    rights: ['sign-in'],
    bindable: true,
  },
  audit: {
    may: 'read and verify the audit, which names people, accounts and keys',
    rights: ['read-audit'],
    bindable: false,
  },
  read: { may: 'see changes, sources and captures', rights: ['read'], bindable: true },
  operate: {
    may: 'do what `read` and `audit` allow, see people, check, pause and refresh sources, and control changes and captures',
    rights: ['read', 'read-jobs', 'read-people', 'read-audit', 'control-changes', 'operate'],
    bindable: false,
  },
  configure: {
    may: 'do what `read` allows, check new sources, apply configurations, link accounts to people, and administer mappings',
    rights: ['read', 'read-jobs', 'read-people', 'configure', 'set-credentials'],
    bindable: false,
  },
  'relay-enrol': {
    may: 'register one relay of one source; the key ends with that',
    rights: ['enrol-relay'],
    bindable: false,
  },
  adapter: {
    may: 'receive and acknowledge the password changes of one source, and send those made there',
    rights: ['adapter'],
    bindable: false,
  },
  relay: { may: 'submit the captures of one relay', rights: ['relay'], bindable: false },
  admin: {
    may: 'do everything, and manage API keys',
    rights: [
      ...['me', 'change-own', 'change', 'control-changes', 'help'],
      ...['read', 'read-jobs', 'read-people', 'read-audit', 'operate'],
      ...['configure', 'set-credentials', 'enrol-relay', 'relay', 'capture', 'adapter', 'sign-in'],
      'administer',
    ] as readonly Right[],
    bindable: false,
  },
} as const satisfies Record<string, ScopeRow>;

/** What an API key may do. The key of a relay has only the scope `relay`. */
export type Scope = keyof typeof table;

export const scopes: Readonly<Record<Scope, ScopeRow>> = table;
export const scopeNames = Object.keys(table) as [Scope, ...Scope[]];

/** The scopes that an operator can give to a key. A relay gets its key when it is registered. */
export const givenScopes = scopeNames.filter((scope) => scope !== 'relay') as [Scope, ...Scope[]];

/** Whether one of the scopes has the right. An unknown scope, as of a newer release, has none. */
export const hasRight = (held: readonly Scope[], right: Right): boolean =>
  held.some((scope) => Object.hasOwn(scopes, scope) && scopes[scope].rights.includes(right));

/** The scopes with a right, the narrowest first. */
export const scopesWith = (right: Right): Scope[] =>
  scopeNames.filter((scope) => scopes[scope].rights.includes(right));
