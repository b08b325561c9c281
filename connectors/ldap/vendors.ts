import {
  Attribute,
  Change,
  type Control,
  type Entry,
  EqualityFilter,
  type Filter,
  OrFilter,
  PresenceFilter,
} from 'ldapts';
import { ds389View, openLdapView, pingView } from './account-state';
import { textOf } from './accounts';
import { PasswordUpdateBehaviorControl } from './controls';
import type { AccountState, View } from './dialect';
import type { LdapRefusal } from './link';
import { replace } from './requests';

/**
 * Values, by attribute, that the server clears with each new password although they are no part of it, such as the time
 * of a lock. Lockstep keeps or restores them.
 */
export type LockValues = Readonly<Record<string, string>>;

/** What differs between LDAPv3 servers when a password is written or verified. */
export interface Vendor {
  /** Name of the server in the findings of `lockstep doctor`. */
  readonly title: string;
  /** Supported ways to write a password. The setting `write` selects one; if it is not supported, the first is used. */
  readonly ways: readonly ['exop' | 'modify', ...('exop' | 'modify')[]];
  readonly view: View;
  /** Attributes of the account to read before its password is written. */
  readonly readBefore: readonly string[];
  /** Returns the values that the server would clear with a new password, and that Lockstep must keep or restore. */
  readonly clears: (entry: Entry) => LockValues;
  /** Matches accounts from which a new password clears a value. Null if the server does not support assertions. */
  readonly clearsAny: Filter | null;
  /** Returns changes that keep the values in the request that writes the password. Null if another request must do it. */
  readonly keepingChanges: ((cleared: LockValues) => Change[]) | null;
  /** Whether the server clears the values only after its reply, so that a value restored at once would be lost. */
  readonly clearsLate: boolean;
  /** Whether a lock cannot be restored. Lockstep then writes no password to an account while it is locked. */
  readonly losesLock: boolean;
  /** Shows a forced change that the write itself caused, and undoes it. Null if the server causes none. */
  readonly forced: {
    readonly attribute: string;
    readonly value: string;
    readonly undo: Change;
  } | null;
  /** Returns the controls of the write. @param isHash whether a hash is written, to be stored unchanged */
  readonly controls: (state: AccountState, isHash: boolean) => Control[];
  /** Whether the server stores any value that looks like a hash unchanged, however it is written. */
  readonly storesHashes: boolean;
  /** Whether a refusal means that the account already has this password. */
  readonly isSame: (refusal: LdapRefusal, policyError: number | null) => boolean;
  /** How the server ends a lock and forces a change (`server-actions.ts`). Null if no service account can make it do so. */
  readonly acts: 'overlay' | 'ds389' | null;
  readonly advice: {
    /** How to grant the right to write passwords. */
    readonly write: string;
    /** How to grant the right to keep or restore a lock and a forced change. */
    readonly keep: string;
    /** How to grant the right to list all accounts. */
    readonly list: string;
  };
  /** Values that no account has, by attribute that must be restored. They serve to test the right to write it. */
  readonly absent: LockValues;
}

export const LOCKED_TIME = 'pwdAccountLockedTime';
export const RESET = 'pwdReset';

const cleared = (values: Readonly<Record<string, string | null>>): LockValues =>
  Object.fromEntries(
    Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== null),
  );

/** OpenLDAP with slapo-ppolicy(5). Every server that is not recognized is treated in the same way. */
const openLdap: Vendor = {
  title: 'an LDAPv3 server',
  ways: ['exop', 'modify'],
  view: openLdapView,
  readBefore: [LOCKED_TIME, RESET],
  clears: (entry) =>
    cleared({
      [LOCKED_TIME]: textOf(entry, LOCKED_TIME),
      [RESET]: textOf(entry, RESET) === 'TRUE' ? 'TRUE' : null,
    }),
  clearsAny: new OrFilter({
    filters: [
      new PresenceFilter({ attribute: LOCKED_TIME }),
      new EqualityFilter({ attribute: RESET, value: 'TRUE' }),
    ],
  }),
  // slapo-ppolicy does not clear what the request itself deletes or replaces (`got_del_lock`, `zapReset` in its source).
  keepingChanges: ({ [LOCKED_TIME]: lockedTime, [RESET]: reset }) => [
    ...(lockedTime === undefined
      ? []
      : (['delete', 'add'] as const).map(
          (operation) =>
            new Change({
              operation,
              modification: new Attribute({ type: LOCKED_TIME, values: [lockedTime] }),
            }),
        )),
    ...(reset === undefined ? [] : [replace(RESET, reset)]),
  ],
  clearsLate: false,
  losesLock: false,
  // With pwdMustChange, each write by an account that may manage userPassword forces a change.
  forced: { attribute: RESET, value: 'TRUE', undo: replace(RESET) },
  controls: () => [],
  storesHashes: false,
  // The code is that of the history rule; only the text says that the password is the current one.
  isSame: ({ code, text }) =>
    code === CONSTRAINT_VIOLATION && /not being changed from existing value/i.test(text),
  acts: 'overlay',
  advice: {
    write: 'Give the service account "=cw" on the attribute.',
    keep: `Give the service account write access to ${LOCKED_TIME} and ${RESET}.`,
    list: 'Give the service account "limits … size=unlimited size.prtotal=unlimited".',
  },
  // A time before any lock, and a value that no password change writes.
  absent: { [LOCKED_TIME]: '19700101000001Z', [RESET]: 'FALSE' },
};

const CONSTRAINT_VIOLATION = 19;

export const RETRIES = 'passwordRetryCount';
export const EXPIRES = 'passwordExpirationTime';
/** Value of `EXPIRES` while the password must be changed (`NO_TIME` in the source of 389 Directory Server). */
export const MUST_CHANGE = '19700101000000Z';

/**
 * 389 Directory Server and FreeIPA. The server hashes a password that a modify request writes. RFC 3062 is not used,
 * because with passwordMustChange it forces a change for every writer, and it does not report which rule refused.
 */
const ds389: Vendor = {
  title: '389 Directory Server',
  ways: ['modify'],
  view: ds389View,
  readBefore: ds389View.attributes,
  clears: (entry) =>
    cleared({
      [RETRIES]: ds389View.accountStateOf(entry, []).locked ? textOf(entry, RETRIES) : null,
      [EXPIRES]: textOf(entry, EXPIRES) === MUST_CHANGE ? MUST_CHANGE : null,
    }),
  clearsAny: null,
  keepingChanges: null,
  // update_pw_info() in its source runs after the reply: 4 of 32 reads right after the reply saw the old values.
  clearsLate: true,
  losesLock: false,
  // A write by a password administrator forces a change too late to be detected. `lockstep doctor` warns about that.
  forced: null,
  controls: () => [],
  storesHashes: true,
  // Same text as for an older password, but without a policy error (check_pw_syntax_ext in its source).
  isSame: ({ code, text }, policyError) =>
    code === CONSTRAINT_VIOLATION && policyError === null && /^password in history/.test(text),
  acts: 'ds389',
  advice: {
    write: 'Add an aci that lets the service account write userPassword.',
    keep: `Add an aci that lets the service account write ${RETRIES} and ${EXPIRES}.`,
    list: 'Set nsSizeLimit and nsLookThroughLimit of the service account to -1.',
  },
  absent: { [RETRIES]: '-1', [EXPIRES]: '19700101000002Z' },
};

/**
 * ApacheDS. It lets only the account itself and its own administrator use RFC 3062, and hashes a password that a modify
 * request writes. A new password leaves a lock and a forced change as they are, and they can be written by its
 * administrator only. Observed on 2.0.0.AM27.
 */
const apacheDs: Vendor = {
  ...openLdap,
  title: 'ApacheDS',
  ways: ['modify'],
  readBefore: [],
  clears: () => ({}),
  clearsAny: null,
  keepingChanges: () => [],
  storesHashes: true,
  isSame: () => false,
  acts: null,
  advice: {
    write: 'Add a prescriptive ACI that lets the service account write userPassword.',
    keep: '',
    list: 'Raise ads-maxSizeLimit of the LDAP server.',
  },
  absent: {},
};

const PASSWORD_UPDATE_BEHAVIOR = '1.3.6.1.4.1.30221.2.5.51';

/** PingDirectory and its predecessor UnboundID Directory Server. A control states how to treat the new password. */
const pingDirectory: Vendor = {
  title: 'PingDirectory',
  ways: ['modify'],
  view: pingView,
  readBefore: pingView.attributes,
  clears: () => ({}),
  clearsAny: null,
  keepingChanges: () => [],
  clearsLate: false,
  losesLock: true,
  forced: null,
  controls: ({ mustChange }, isHash) => [new PasswordUpdateBehaviorControl(mustChange, isHash)],
  storesHashes: false,
  isSame: () => false,
  // Both need the extended operation for the password policy state, which Lockstep does not use.
  acts: null,
  advice: {
    write:
      'Give the service account the privilege password-reset, and an aci to write userPassword.',
    keep: 'Add an aci that lets the service account read ds-pwp-state-json.',
    list: 'Set ds-rlim-size-limit of the service account to 0.',
  },
  absent: {},
};

/** Recognizes the server. @param name vendorName of the root DSE @param controls OIDs of the supported controls */
export function vendorOf(name: string | null, controls: ReadonlySet<string>): Vendor {
  if (controls.has(PASSWORD_UPDATE_BEHAVIOR)) return pingDirectory;
  if (name !== null && /^389 /.test(name)) return ds389;
  if (name === 'Apache Software Foundation') return apacheDs;
  return openLdap;
}
