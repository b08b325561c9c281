import type { StaleCode } from './stale';

/** What an account holds now, compared with the newest password of its person. */
export const heldNow = {
  newest: { holds: 'newest', says: 'the newest password' },
  older: { holds: 'older', says: 'an older password' },
  changedThere: { holds: 'older', says: 'another password, which was changed in its source' },
  unsure: { holds: 'unknown', says: 'it is not known which password' },
  unwritten: { holds: 'unknown', says: 'no password of Lockstep' },
} as const;

export type HeldNow = keyof typeof heldNow;

interface AccountNow {
  /** True when the account took a password of a change. */
  readonly hasTaken: boolean;
  /** Its outcome in a change that has not ended; null if there is none. */
  readonly open: { readonly inDoubt: boolean } | null;
  /** Why the account is stale; null if it is not. */
  readonly stale: StaleCode | null;
}

/** The stale accounts that do not hold an older password for certain. */
const staleNow: Readonly<Partial<Record<StaleCode, HeldNow>>> = {
  capture_without_effect: 'changedThere',
  changed_there: 'changedThere',
  unproved: 'unsure',
  parked: 'unsure',
};

export function heldNowOf({ hasTaken, open, stale }: AccountNow): HeldNow {
  if (open !== null) return open.inDoubt ? 'unsure' : 'older';
  if (stale !== null) return staleNow[stale] ?? 'older';
  return hasTaken ? 'newest' : 'unwritten';
}
