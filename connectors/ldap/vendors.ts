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

/** What an account loses with each new password, though it is no part of it: values by attribute. */
export type LockValues = Readonly<Record<string, string>>;

/** How servers that speak LDAPv3 differ, as far as a password is concerned. */
export interface Vendor {
  /** As `doctor` calls it. */
  readonly title: string;
  /** Ways to write a password: the one that `write` of the settings asks for, or else the first. */
  readonly ways: readonly ['exop' | 'modify', ...('exop' | 'modify')[]];
  readonly view: View;
  /** What is seen of an account before its password is written. */
  readonly seen: readonly string[];
  /** What the server would take from it with the new password, and a write of ours gives back. */
  readonly takes: (entry: Entry) => LockValues;
  /** True of an account from which something would be taken; null where the server knows no assertions. */
  readonly takesFrom: Filter | null;
  /** Keeps it in the very request that writes the password; null where only another one gives it back. */
  readonly keeping: ((taken: LockValues) => Change[]) | null;
  /** It takes only after it has answered, so what is given back at once is lost. */
  readonly takesLate: boolean;
  /** There is no way to give a lock back, so an account is not written while it is locked. */
  readonly losesLock: boolean;
  /** How a change that our own write forces is told, and taken back. */
  readonly forced: {
    readonly attribute: string;
    readonly value: string;
    readonly undo: Change;
  } | null;
  /** @param isHash what is written is one, to be stored as it is */
  readonly controls: (standing: AccountState, isHash: boolean) => Control[];
  /** A value that looks like a hash is stored as it is, whatever the way. */
  readonly takesHashes: boolean;
  /** The refusal says that the account has this password already. */
  readonly isSame: (refusal: LdapRefusal, policyError: number | null) => boolean;
  readonly advice: {
    /** What gives the service account its right, and the right to give back what is taken. */
    readonly write: string;
    readonly keep: string;
    readonly list: string;
  };
  /** Values that no account has, for the attributes that are given back. */
  readonly absent: LockValues;
}

const LOCKED_TIME = 'pwdAccountLockedTime';
const RESET = 'pwdReset';

const taken = (values: Readonly<Record<string, string | null>>): LockValues =>
  Object.fromEntries(
    Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== null),
  );

/** slapo-ppolicy(5), and what every other server is taken for. */
const openLdap: Vendor = {
  title: 'an LDAPv3 server',
  ways: ['exop', 'modify'],
  view: openLdapView,
  seen: [LOCKED_TIME, RESET],
  takes: (entry) =>
    taken({
      [LOCKED_TIME]: textOf(entry, LOCKED_TIME),
      [RESET]: textOf(entry, RESET) === 'TRUE' ? 'TRUE' : null,
    }),
  takesFrom: new OrFilter({
    filters: [
      new PresenceFilter({ attribute: LOCKED_TIME }),
      new EqualityFilter({ attribute: RESET, value: 'TRUE' }),
    ],
  }),
  // It leaves alone what the request itself deletes or replaces (`got_del_lock` and `zapReset` in its source).
  keeping: ({ [LOCKED_TIME]: lockedTime, [RESET]: reset }) => [
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
  takesLate: false,
  losesLock: false,
  // A service account that may manage userPassword forces a change with each write, where pwdMustChange is on.
  forced: { attribute: RESET, value: 'TRUE', undo: replace(RESET) },
  controls: () => [],
  takesHashes: false,
  // It gives this the code of the history rule, although it says that nothing is left to do.
  isSame: ({ code, text }) =>
    code === CONSTRAINT_VIOLATION && /not being changed from existing value/i.test(text),
  advice: {
    write: 'Give it "=cw".',
    keep: `Give write access to ${LOCKED_TIME} and ${RESET}.`,
    list: 'Give it "limits … size=unlimited".',
  },
  // A date before any lock, and a value that no password change leaves behind.
  absent: { [LOCKED_TIME]: '19700101000001Z', [RESET]: 'FALSE' },
};

const CONSTRAINT_VIOLATION = 19;

const RETRIES = 'passwordRetryCount';
const EXPIRES = 'passwordExpirationTime';
/** What stands in `EXPIRES` while the password must be changed (`NO_TIME` in its source). */
const MUST_CHANGE = '19700101000000Z';

/**
 * 389 Directory Server, and FreeIPA. It hashes what a modify brings. RFC 3062 is not used: with passwordMustChange it
 * forces a change whoever writes, and it does not say which rule refused.
 */
const ds389: Vendor = {
  title: '389 Directory Server',
  ways: ['modify'],
  view: ds389View,
  seen: ds389View.attributes,
  takes: (entry) =>
    taken({
      [RETRIES]: ds389View.accountStateOf(entry, []).locked ? textOf(entry, RETRIES) : null,
      [EXPIRES]: textOf(entry, EXPIRES) === MUST_CHANGE ? MUST_CHANGE : null,
    }),
  takesFrom: null,
  keeping: null,
  // update_pw_info() in its source runs after the reply is out: of 32 looks that came at once, 4 found it not done.
  takesLate: true,
  losesLock: false,
  // A password administrator's write forces a change, also too late to be seen; doctor warns of one.
  forced: null,
  controls: () => [],
  takesHashes: true,
  // The same text as for an older one, but without the answer of the policy (check_pw_syntax_ext in its source).
  isSame: ({ code, text }, policyError) =>
    code === CONSTRAINT_VIOLATION && policyError === null && /^password in history/.test(text),
  advice: {
    write: 'Give it an aci that allows to write userPassword.',
    keep: `Give it an aci that allows to write ${RETRIES} and ${EXPIRES}.`,
    list: 'Give it nsSizeLimit -1 and nsLookThroughLimit -1.',
  },
  absent: { [RETRIES]: '-1', [EXPIRES]: '19700101000002Z' },
};

const PASSWORD_UPDATE_BEHAVIOR = '1.3.6.1.4.1.30221.2.5.51';

/** PingDirectory, and its ancestor UnboundID Directory Server. The control says exactly what a write of ours is. */
const pingDirectory: Vendor = {
  title: 'PingDirectory',
  ways: ['modify'],
  view: pingView,
  seen: pingView.attributes,
  takes: () => ({}),
  takesFrom: null,
  keeping: () => [],
  takesLate: false,
  losesLock: true,
  forced: null,
  controls: ({ mustChange }, isHash) => [new PasswordUpdateBehaviorControl(mustChange, isHash)],
  takesHashes: false,
  isSame: () => false,
  advice: {
    write: 'Give it the privilege password-reset, and an aci that allows to write userPassword.',
    keep: 'Give it an aci that allows to read ds-pwp-state-json.',
    list: 'Give it ds-rlim-size-limit 0.',
  },
  absent: {},
};

/** By what the root DSE says. */
export function vendorOf(name: string | null, controls: ReadonlySet<string>): Vendor {
  if (controls.has(PASSWORD_UPDATE_BEHAVIOR)) return pingDirectory;
  if (name !== null && /^389 /.test(name)) return ds389;
  return openLdap;
}
