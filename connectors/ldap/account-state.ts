import type { Control, Entry } from 'ldapts';
import { textOf, valuesOf } from './accounts';
import { UsabilityControl } from './controls';
import type { AccountState, View } from './dialect';

/** Value of pwdAccountLockedTime that means "locked until an administrator unlocks it" (slapo-ppolicy(5)). */
const FOR_GOOD = '000001010000Z';

/** Attributes that are true if an administrator has disabled the account. */
const switches = ['nsAccountLock', 'loginDisabled', 'ds-pwp-account-disabled'];

export const openLdapView: View = {
  attributes: [
    'pwdAccountLockedTime',
    'pwdAccountTmpLockoutEnd',
    'pwdStartTime',
    'pwdEndTime',
    'pwdReset',
    'pwdChangedTime',
    ...switches,
  ],
  controls: () => [new UsabilityControl()],
  accountStateOf(entry: Entry, controls: readonly Control[]): AccountState {
    const lockedAt = textOf(entry, 'pwdAccountLockedTime');
    const usability = controls.find((control) => control instanceof UsabilityControl);
    const at = (attribute: string) => generalizedTime(textOf(entry, attribute))?.getTime();
    const now = Date.now();
    return {
      disabled:
        lockedAt === FOR_GOOD ||
        (at('pwdEndTime') ?? now) < now ||
        (at('pwdStartTime') ?? now) > now ||
        switches.some((name) => isTrue(entry, name)),
      // The entry keeps the time of a lock after the lock has ended, until the next login.
      locked:
        (lockedAt !== null && lockedAt !== FOR_GOOD && usability?.available !== true) ||
        (at('pwdAccountTmpLockoutEnd') ?? now) > now,
      mustChange: isTrue(entry, 'pwdReset'),
      passwordChangedAt: generalizedTime(textOf(entry, 'pwdChangedTime')),
    };
  },
};

/**
 * Time that 389 Directory Server writes for "no end". In accountUnlockTime: locked until an administrator unlocks the
 * account. In passwordExpirationTime: the password must be changed.
 */
const NO_TIME = '19700101000000Z';

/**
 * View of 389 Directory Server. It does not send the usability control, because an account without the right to it (an
 * aci of cn=features,cn=config) gets no entry at all. It does not read `pwdReset`, which the server shows but does not
 * use; the server decides by `passwordExpirationTime`.
 */
export const ds389View: View = {
  attributes: [
    'nsAccountLock',
    'accountUnlockTime',
    'passwordRetryCount',
    'passwordExpirationTime',
    'pwdUpdateTime',
  ],
  controls: () => [],
  accountStateOf(entry: Entry): AccountState {
    const unlock = textOf(entry, 'accountUnlockTime');
    const unlocksAt = generalizedTime(unlock)?.getTime() ?? 0;
    return {
      disabled: isTrue(entry, 'nsAccountLock'),
      // Unlocking sets the count to 0 and leaves the time in the entry.
      locked:
        Number(textOf(entry, 'passwordRetryCount') ?? 0) > 0 &&
        (unlock === NO_TIME || unlocksAt > Date.now()),
      mustChange: textOf(entry, 'passwordExpirationTime') === NO_TIME,
      passwordChangedAt: generalizedTime(textOf(entry, 'pwdUpdateTime')),
    };
  },
};

const STATE = 'ds-pwp-state-json';

/** JSON fields of `STATE`. Source: `PasswordPolicyStateJSONField` of the UnboundID LDAP SDK. */
const disabling = ['account-is-disabled', 'account-is-expired', 'account-is-not-yet-active'];
const locking = [
  'account-is-failure-locked',
  'account-is-idle-locked',
  'account-is-reset-locked',
  'account-is-validation-locked',
];

export const pingView: View = {
  attributes: [STATE],
  controls: () => [],
  accountStateOf(entry: Entry): AccountState {
    const state = jsonObject(textOf(entry, STATE));
    const changed = state['password-changed-time'];
    return {
      disabled: disabling.some((field) => state[field] === true),
      locked: locking.some((field) => state[field] === true),
      mustChange: state['must-change-password'] === true,
      passwordChangedAt: typeof changed === 'string' ? new Date(changed) : null,
    };
  },
};

function jsonObject(text: string | null): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text ?? '{}');
  } catch {
    return {};
  }
}

const isTrue = (entry: Entry, attribute: string) =>
  valuesOf(entry, attribute).some((value) => String(value).toUpperCase() === 'TRUE');

/** Reads a generalized time (RFC 4517 §3.3.13) as servers write it: in UTC, with seconds. */
function generalizedTime(text: string | null): Date | null {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:[.,]\d+)?Z$/.exec(text ?? '');
  if (parts === null) return null;
  const [, year, month, day, hour, minute, second] = parts.map(Number);
  return new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second));
}
