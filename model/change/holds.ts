import type { OutcomeState, Proof } from './outcome';

/** The password that an account holds, of the one of a change, the one before, and a newer one. */
export const holdings = ['new', 'earlier', 'newer', 'unknown'] as const;

export type Holds = (typeof holdings)[number];

/** What Lockstep knows about one account of a change. */
export interface HeldFacts {
  readonly state: OutcomeState;
  readonly reason: string | null;
  readonly proof: Proof;
  readonly inDoubt: boolean;
  readonly attempts: number;
  /** True when the password of the change was captured in this account. */
  readonly isOrigin: boolean;
  /** True when a newer change has written the account. Absent when the change has just ended. */
  readonly isOvertaken?: boolean;
  /** True when its password was changed in its source after this change had written it. */
  readonly isChangedSince?: boolean;
}

interface HeldRule {
  readonly holds: Holds;
  /** How it is known, as people read it. */
  readonly says: string;
  readonly applies: (account: HeldFacts) => boolean;
}

const noAccount: readonly (string | null)[] = ['no_account_found', 'unlinked', 'source_removed'];

/**
 * What an account holds after a change, and how it is known. The first rule that applies decides. An account keeps the
 * password that it had only where Lockstep has not written it, or its source has refused.
 */
export const heldRules = {
  newer_change: {
    holds: 'newer',
    says: 'A newer change has written another password to it.',
    applies: ({ isOvertaken }) => isOvertaken === true,
  },
  changed_since: {
    holds: 'newer',
    says: 'Its password was changed in its source since then.',
    applies: ({ isChangedSince }) => isChangedSince === true,
  },
  verified: {
    holds: 'new',
    says: 'It holds the new password, which Lockstep has verified.',
    applies: ({ state, proof }) => state === 'applied' && proof !== 'none',
  },
  accepted: {
    holds: 'new',
    says: 'Its source accepted the new password. Lockstep has not verified it.',
    applies: ({ state, isOrigin }) => state === 'applied' && !isOrigin,
  },
  another_account: {
    holds: 'unknown',
    says: 'It is not known which password the account holds, because its link is wrong.',
    applies: ({ reason }) => reason === 'capture_of_another_account',
  },
  in_doubt: {
    holds: 'unknown',
    says: 'It holds the new password or the one before: a write may have reached it.',
    applies: ({ state, inDoubt }) => inDoubt || state === 'applying',
  },
  changed_there: {
    holds: 'new',
    says: 'It holds the new password, because the person changed it there.',
    applies: ({ isOrigin }) => isOrigin,
  },
  no_account: {
    holds: 'unknown',
    says: 'Lockstep knows no account of the person there.',
    applies: ({ reason }) => noAccount.includes(reason),
  },
  replaced: {
    holds: 'unknown',
    says: 'A newer change, or a newer password in its source, has replaced this one.',
    applies: ({ state, attempts }) => state === 'superseded' && attempts > 0,
  },
  refused: {
    holds: 'earlier',
    says: 'It keeps the password that it had: the new one was refused.',
    applies: ({ state, attempts }) => state === 'rejected' && attempts > 0,
  },
  not_written: {
    holds: 'earlier',
    says: 'It keeps the password that it had: this change has not written it.',
    applies: () => true,
  },
} as const satisfies Record<string, HeldRule>;

export type HeldCode = keyof typeof heldRules;

const codes = Object.keys(heldRules) as HeldCode[];

/** How it is known what the account holds: a row of `heldRules`. */
export function heldCode(account: HeldFacts): HeldCode {
  const code = codes.find((candidate) => (heldRules[candidate] as HeldRule).applies(account));
  return code ?? 'not_written';
}

export const holdsAfter = (account: HeldFacts): Holds => heldRules[heldCode(account)].holds;
