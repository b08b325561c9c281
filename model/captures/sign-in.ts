import type { StaleCode } from '../change/stale';

/**
 * A sign-in that a caller reports: the only moment at which the password of a person is available again after its
 * change has ended (seed 003, pass-through authentication). One login verifies it at the auth account, and that must
 * never lock the account.
 */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/**
 * How long, in milliseconds, the auth account is not asked again after a failed login of Lockstep. Two failed logins a
 * day stay below the usual lockout thresholds, even in sources that count failures until the next success.
 * @param failures number of failures in a row, this one included
 */
export const closedForMs = (failures: number): number => (failures < 2 ? 15 * MINUTE : DAY);

/**
 * How many logins with a typed current password may fail in a row before the times above apply to them. A person
 * mistypes, so the second one is made at once; an application reports a sign-in that it has accepted, so a wrong one
 * there is no typing error.
 */
export const TYPED_IN_A_ROW = 2;

/** What the login showed about the password. */
export const signInResults = {
  holds: { says: 'The auth account holds this password.' },
  differs: { says: 'The auth account holds another password.' },
  unknown: {
    says: 'The auth account could not be asked now, so nothing is known about this password.',
  },
} as const;
export type SignInResult = keyof typeof signInResults;

/**
 * The stale codes with which an auth account may still start a change. With any other code it may hold an older
 * password than the other accounts, and a change from it would overwrite the newer one.
 */
const leads: readonly StaleCode[] = ['capture_without_effect', 'changed_there', 'unproved'];

interface StaleAccount {
  readonly id: string;
  readonly is: { readonly code: StaleCode; readonly catchesUp: boolean } | null;
}

/**
 * True when a change from the auth account, whose password a login just verified, would cure at least one stale
 * account.
 */
export function shouldCatchUp(authAccountId: string, accounts: readonly StaleAccount[]): boolean {
  const auth = accounts.find(({ id }) => id === authAccountId)?.is;
  if (auth && !leads.includes(auth.code)) return false;
  return accounts.some(({ is }) => is?.catchesUp === true);
}
