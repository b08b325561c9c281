import { type NoEffectReason, noEffectSays, type WithoutEffect } from '../captures/without-effect';
import { errors, isErrorCode } from '../errors';
import type { StoredProblem } from '../people/links';
import type { OutcomeState, Proof } from './outcome';
import type { OutcomeReason } from './reason';

/**
 * The facts about one account that show whether it is stale: it missed the last change of its person, or was changed in
 * its source since. The password of that change is destroyed, so a stale account needs it once more, from a person or a
 * program that knows it (seed 003).
 */
export interface AccountHistory {
  /**
   * The outcome of the last change here; null when it did not include the account. Changes that no account took do not
   * count.
   */
  readonly outcome: {
    readonly state: OutcomeState;
    readonly reason: OutcomeReason | null;
    readonly proof: Proof;
    readonly at: Date;
    /** When the change was accepted. */
    readonly acceptedAt: Date;
  } | null;
  /** True when the account is known to hold the password of the last change. */
  readonly holdsLast: boolean;
  readonly linkedAt: Date;
  /**
   * When its password was last changed, as the source reported at the last look; null when it never reported a time.
   */
  readonly changedThereAt: Date | null;
  /** What is wrong with its link; null when nothing is known. */
  readonly problem: StoredProblem | null;
  /** When the source showed the problem; null when that was not recorded. */
  readonly problemAt: Date | null;
  /** The newest capture of its password, if that had no effect; else null. */
  readonly withoutEffect: WithoutEffect | null;
  /** True when its source is switched on in the configuration. */
  readonly enabled: boolean;
}

/** Largest difference, in milliseconds, between the clock of a source and that of the database. */
export const SOURCE_CLOCKS_MS = 60_000;

interface StaleRule {
  readonly says: string;
  readonly cure: string;
  /** True when a reported sign-in cures it: nothing shows that the account would refuse the same password again. */
  readonly catchesUp: boolean;
  readonly applies: (account: AccountHistory) => boolean;
  readonly since: (account: AccountHistory) => Date;
}

const AGAIN = 'Change the password again, or report the next sign-in (POST /v1/sign-ins).';

const ended = (state: OutcomeState) => ({
  applies: ({ outcome, holdsLast }: AccountHistory) => outcome?.state === state && !holdsLast,
  since: ({ outcome, linkedAt }: AccountHistory) => outcome?.at ?? linkedAt,
});

const isOff = ({ outcome }: AccountHistory): boolean =>
  outcome?.reason === 'source_disabled' || outcome?.reason === 'source_removed';

/** Why an account is stale. The first rule that applies is the reason. */
export const staleRules = {
  link_problem: {
    says: 'Something is wrong with its link, so the account gets no password.',
    cure: 'Correct the link with "lockstep identities", then change the password again.',
    catchesUp: false,
    applies: ({ problem }) => problem !== null,
    since: ({ problemAt, linkedAt }) => problemAt ?? linkedAt,
  },
  capture_without_effect: {
    says: 'Its password was changed in the source, and the capture of that had no effect, so the other accounts hold another password.',
    cure: 'Change the password again, so that every account holds the same one.',
    catchesUp: true,
    applies: ({ withoutEffect }) => withoutEffect !== null,
    since: ({ withoutEffect, linkedAt }) => withoutEffect?.at ?? linkedAt,
  },
  parked: {
    ...ended('parked'),
    says: 'It is parked after errors that Lockstep does not know.',
    cure: 'Look at the account in its source, then "lockstep retry" the change.',
    catchesUp: false,
  },
  expired: {
    ...ended('expired'),
    says: 'Its source did not accept the password before the change expired.',
    cure: AGAIN,
    catchesUp: true,
  },
  rejected: {
    ...ended('rejected'),
    says: 'Its source rejected the password.',
    cure: 'Change the password again.',
    catchesUp: false,
  },
  cancelled: {
    ...ended('cancelled'),
    says: 'The change was cancelled before the account was written.',
    cure: 'Change the password again.',
    catchesUp: false,
  },
  left_behind: {
    ...ended('superseded'),
    says: 'It was left to a newer change, which no account took.',
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
    applies: (account) => isOff(account) && !account.enabled,
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
    says: 'It was linked after the last change, so it never received the password.',
    cure: AGAIN,
    catchesUp: true,
    applies: ({ outcome, holdsLast }) => outcome === null && !holdsLast,
    since: ({ linkedAt }) => linkedAt,
  },
  unproved: {
    says: 'Its source accepted the password, but no login could verify it.',
    cure: 'Look at the account in its source: an account that is locked or disabled stays so after a new password.',
    catchesUp: true,
    // A login may prove the password of an account in which the person still cannot sign in.
    applies: ({ outcome }) =>
      outcome?.state === 'applied' &&
      outcome.proof === 'none' &&
      outcome.reason !== null &&
      isErrorCode(outcome.reason),
    since: ended('applied').since,
  },
  restored_there: {
    says: 'Its source reports that its password was last changed before Lockstep wrote it, so the source was restored from a backup and holds an older password.',
    cure: AGAIN,
    catchesUp: true,
    // Without a reason the change wrote the account, and its source recorded a time not before the acceptance.
    applies: ({ outcome, holdsLast, changedThereAt }) =>
      holdsLast &&
      outcome?.state === 'applied' &&
      outcome.reason === null &&
      changedThereAt !== null &&
      changedThereAt.getTime() < outcome.acceptedAt.getTime() - SOURCE_CLOCKS_MS,
    since: ended('applied').since,
  },
  changed_there: {
    says: 'Its password was changed in the source since, and that change was not captured.',
    cure: `${AGAIN} To prevent this, capture the changes of this source.`,
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
  /** The code of what happened in the change or the capture; null when there is none. */
  readonly reason: OutcomeReason | NoEffectReason | null;
  /** A sentence for an operator: what to do. */
  readonly cure: string;
  readonly catchesUp: boolean;
}

/**
 * True for a reason whose sentence says what to do before the password is changed again. An account that is changed with
 * its old password refuses a new one until then.
 */
const hasOwnCure = (reason: NoEffectReason): boolean =>
  reason === 'old_password_not_stored' || reason === 'wrong_old_password';

/** @returns why the account is stale; null when it is not, or when its last change is still in progress */
export function staleness(account: AccountHistory): Stale | null {
  const code = staleCodes.find((candidate) =>
    (staleRules[candidate] as StaleRule).applies(account),
  );
  if (code === undefined) return null;
  const rule: StaleRule = staleRules[code];
  const { outcome, withoutEffect, problem } = account;
  const stale = { code, since: rule.since(account), catchesUp: rule.catchesUp };
  if (code === 'capture_without_effect' && withoutEffect !== null) {
    const { reason } = withoutEffect;
    const says = noEffectSays(reason);
    return { ...stale, reason, cure: hasOwnCure(reason) ? says : `${says} ${rule.cure}` };
  }
  if (code === 'link_problem' && problem !== null)
    return { ...stale, reason: problem, cure: errors[problem].says };
  const reason = outcome?.reason ?? null;
  // The sentence of the error says what to do about this rejection.
  const cure =
    code === 'rejected' && reason !== null && isErrorCode(reason) ? errors[reason].says : rule.cure;
  return { ...stale, reason, cure };
}
