import type { StaleCode } from '../change/stale';

/**
 * A sign-in that Lockstep is told of: the one moment at which a password that nobody has kept can be had again (seed 003,
 * pass-through authentication). The auth account is asked for it by one login, and that must lock nobody out.
 */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/**
 * After a login of ours that failed the account is asked no more for a while. Two in a day stay below every lockout that
 * is worth its name, also of sources that count until the next success.
 * @param failures in a row, this one included
 */
export const closedForMs = (failures: number): number => (failures < 2 ? 15 * MINUTE : DAY);

/** What was learned of the password. */
export const signInResults = {
  holds: { says: 'The auth account holds this password.' },
  differs: { says: 'The auth account holds another password.' },
  unknown: { says: 'The auth account could not be asked now. Nothing follows from that.' },
} as const;
export type SignInResult = keyof typeof signInResults;

/**
 * An auth account in such a way may hold an older password than the others: a change from it would take the newer one
 * from them. In the other ways it is itself what others have to follow.
 */
const leads: readonly StaleCode[] = ['changed_there', 'unproved'];

interface StaleAccount {
  readonly id: string;
  readonly is: { readonly code: StaleCode; readonly catchesUp: boolean } | null;
}

/** Whether a change from the auth account, whose password was just proved, brings somebody back. */
export function shouldCatchUp(authAccountId: string, accounts: readonly StaleAccount[]): boolean {
  const auth = accounts.find(({ id }) => id === authAccountId)?.is;
  if (auth && !leads.includes(auth.code)) return false;
  return accounts.some(({ is }) => is?.catchesUp === true);
}
