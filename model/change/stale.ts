import { type ErrorCode, errors, isErrorCode } from '../errors';
import type { OutcomeState } from './outcome';
import type { LeaveOutCode } from './plan';

/**
 * Accounts that missed the last change of their person, or went another way since. Nothing can be done with the
 * password of that change, which is destroyed: each needs it once more, and from somebody who knows it (seed 003).
 */
export interface AccountHistory {
  /** What the last change came to here; null when it did not include the account. Changes in vain do not count. */
  readonly outcome: {
    readonly state: OutcomeState;
    readonly reason: ErrorCode | LeaveOutCode | null;
    readonly at: Date;
  } | null;
  /** It is known to hold the password of the last change. */
  readonly holdsLast: boolean;
  readonly linkedAt: Date;
  /** When its password was last changed, as the source told when somebody looked; null when it never did. */
  readonly changedThereAt: Date | null;
  /** Its source is switched on. */
  readonly enabled: boolean;
}

/** Sources keep time with the database this well. */
export const SOURCE_CLOCKS_MS = 60_000;

interface StaleRule {
  readonly says: string;
  readonly cure: string;
  /** A sign-in cures it: nothing says that the account would refuse the same password again. */
  readonly catchesUp: boolean;
  readonly applies: (standing: AccountHistory) => boolean;
  readonly since: (standing: AccountHistory) => Date;
}

const AGAIN = 'Change the password again, or have the next sign-in reported (POST /v1/sign-ins).';

const ended = (state: OutcomeState) => ({
  applies: ({ outcome, holdsLast }: AccountHistory) => outcome?.state === state && !holdsLast,
  since: ({ outcome, linkedAt }: AccountHistory) => outcome?.at ?? linkedAt,
});

const isOff = ({ outcome }: AccountHistory): boolean =>
  outcome?.reason === 'source_disabled' || outcome?.reason === 'source_removed';

/** The first that applies is told. */
export const staleRules = {
  parked: {
    ...ended('parked'),
    says: 'It is parked after answers that nobody knows.',
    cure: 'Look at the account in its source, then "lockstep retry" the change.',
    catchesUp: false,
  },
  expired: {
    ...ended('expired'),
    says: 'Its source did not take the password until the change was too old.',
    cure: AGAIN,
    catchesUp: true,
  },
  rejected: {
    ...ended('rejected'),
    says: 'Its source refused the password.',
    cure: 'Change the password again.',
    catchesUp: false,
  },
  cancelled: {
    ...ended('cancelled'),
    says: 'The change was cancelled before it was written.',
    cure: 'Change the password again.',
    catchesUp: false,
  },
  left_behind: {
    ...ended('superseded'),
    says: 'It was left to a newer change, which came to nothing.',
    cure: AGAIN,
    catchesUp: true,
  },
  not_attempted: {
    ...ended('not_attempted'),
    says: 'It was not attempted.',
    cure: AGAIN,
    catchesUp: true,
  },
  switched_off: {
    says: 'Its source is switched off, so it was left out.',
    cure: 'Switch the source on, then change the password again.',
    catchesUp: false,
    applies: (standing) => isOff(standing) && !standing.enabled,
    since: ended('not_applicable').since,
  },
  was_switched_off: {
    says: 'Its source was switched off, so it was left out.',
    cure: AGAIN,
    catchesUp: true,
    applies: isOff,
    since: ended('not_applicable').since,
  },
  linked_later: {
    says: 'It was linked after the last change, so it never got the password.',
    cure: AGAIN,
    catchesUp: true,
    applies: ({ outcome, holdsLast }) => outcome === null && !holdsLast,
    since: ({ linkedAt }) => linkedAt,
  },
  unproved: {
    says: 'Its source took the password, but no login could prove it.',
    cure: 'Look at the account in its source: whoever cannot sign in is not let in by a new password either.',
    catchesUp: true,
    applies: ({ outcome }) =>
      outcome?.state === 'applied' && outcome.reason !== null && isErrorCode(outcome.reason),
    since: ended('applied').since,
  },
  changed_there: {
    says: 'Its password was changed in the source since, and nobody captured that.',
    cure: `${AGAIN} So that it does not come again, capture what is changed in this source.`,
    catchesUp: true,
    applies: ({ outcome, holdsLast, changedThereAt }) =>
      holdsLast &&
      outcome !== null &&
      changedThereAt !== null &&
      changedThereAt.getTime() > outcome.at.getTime() + SOURCE_CLOCKS_MS,
    since: ({ changedThereAt, linkedAt }) => changedThereAt ?? linkedAt,
  },
} as const satisfies Record<string, StaleRule>;

export type StaleCode = keyof typeof staleRules;
export const staleCodes = Object.keys(staleRules) as [StaleCode, ...StaleCode[]];

export interface Stale {
  readonly code: StaleCode;
  readonly since: Date;
  /** What to do. */
  readonly cure: string;
  readonly catchesUp: boolean;
}

/** Null when nothing is known to be wrong, or the change that will tell is still under way. */
export function staleness(standing: AccountHistory): Stale | null {
  const code = staleCodes.find((one) => (staleRules[one] as StaleRule).applies(standing));
  if (code === undefined) return null;
  const { since, cure, catchesUp }: StaleRule = staleRules[code];
  const reason = standing.outcome?.reason ?? null;
  // The sentence of a refusal says what to do about it.
  const own =
    code === 'rejected' && reason !== null && isErrorCode(reason) ? errors[reason].says : cure;
  return { code, since: since(standing), cure: own, catchesUp };
}
