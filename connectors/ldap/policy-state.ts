import { Attribute, Change, type Entry } from 'ldapts';
import { textOf } from './accounts';
import { replace } from './requests';

/**
 * What slapo-ppolicy(5) removes from an account when its password is changed, by whomever: the lock, and the forced change
 * at the next login. A write of ours keeps them.
 */
export interface PolicyState {
  readonly lockedTime: string | null;
  readonly reset: boolean;
}

export const LOCKED_TIME = 'pwdAccountLockedTime';
export const RESET = 'pwdReset';

export const policyStateAttributes = [LOCKED_TIME, RESET];

export const policyStateIn = (entry: Entry): PolicyState => ({
  lockedTime: textOf(entry, LOCKED_TIME),
  reset: textOf(entry, RESET) === 'TRUE',
});

/**
 * In the modify that writes the password: slapo-ppolicy leaves alone what is deleted or replaced in the request itself
 * (`got_del_lock` and `zapReset` in its source).
 */
export function keepingInOneStep({ lockedTime, reset }: PolicyState): Change[] {
  const lock = (operation: 'delete' | 'add', values: string[]) =>
    new Change({ operation, modification: new Attribute({ type: LOCKED_TIME, values }) });
  return [
    ...(lockedTime === null ? [] : [lock('delete', [lockedTime]), lock('add', [lockedTime])]),
    ...(reset ? [replace(RESET, 'TRUE')] : []),
  ];
}

/** In a request of its own, after the password is written. */
export const restoring = ({ lockedTime, reset }: PolicyState): Change[] => [
  ...(lockedTime === null ? [] : [replace(LOCKED_TIME, lockedTime)]),
  ...(reset ? [replace(RESET, 'TRUE')] : []),
];
