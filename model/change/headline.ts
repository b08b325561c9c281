import { type ChangeState, changeStates, hasEnded, preventedSignIns, type Role } from './change';
import { type HeldCode, type HeldFacts, heldCode, heldRules } from './holds';
import { isSettled } from './outcome';

/** One account of a change, as the sentence about the change counts it. */
export interface HeadlineOutcome extends HeldFacts {
  readonly role: Role;
  /** What keeps the person from signing in; null when nothing is known to. */
  readonly signInPrevented: unknown;
}

export interface HeadlineFacts {
  readonly state: ChangeState;
  /** True for a change that only updates the stored credential of the account in which the password was changed. */
  readonly partial: boolean;
  readonly outcomes: readonly HeadlineOutcome[];
}

/**
 * The sentence about a change as a whole, in English for operators. It counts what is verified, what is only accepted,
 * what was left out, and of which accounts it is unknown what they hold. A page in another language starts from `code`.
 */
export interface Headline {
  readonly code: HeadlineCode;
  readonly says: string;
}

/** The first part of the sentence, by its code. */
export const headlineSentences = {
  accepted: changeStates.accepted.says,
  applying: changeStates.applying.says,
  waiting: changeStates.waiting.says,
  parked: 'some accounts are parked until an operator retries or cancels them',
  /** A partial change. */
  stored_only:
    'no account was written: the change only updates the stored credential of the account in which the password was changed',
  changed_there_only:
    'the account in which the password was changed holds it, and no other account was written',
  everywhere: 'every account holds the new password',
  /** Rules left accounts out. */
  where_planned: 'every account that was to be changed holds the new password',
  /** Not verified everywhere, or not held any more. */
  taken: 'every account took the new password',
  taken_where_planned: 'every account that was to be changed took the new password',
  partial: 'some accounts hold the new password, some do not',
  /** Some of those that took it do not hold it any more. */
  taken_partly: 'some accounts took the new password, some did not',
  /** The accounts that did not take it were left to a newer password. */
  replaced: 'a newer password has replaced this one, which some accounts had taken before',
  refused: 'the auth account was not changed, so nothing else was attempted',
  /** Other accounts were attempted before. */
  refused_late: 'the auth account was not changed',
  /** The auth account is the one in which the password was changed. */
  refused_at_origin: 'the change was refused, so no account was written',
  failed: 'no account took the new password',
  expired: 'expired before the auth account could be changed',
  cancelled: changeStates.cancelled.says,
  superseded: changeStates.superseded.says,
} as const;

export type HeadlineCode = keyof typeof headlineSentences;

/** The same, if a write may have reached the auth account; for `failed`, any account. */
const ifInDoubt: Readonly<Partial<Record<HeadlineCode, string>>> = {
  refused: 'the auth account is not known to be changed, so nothing else was attempted',
  refused_late: 'the auth account is not known to be changed',
  failed: 'no account is known to hold the new password',
  expired: 'expired before the auth account was known to be changed',
};

type Counted = HeadlineOutcome & { readonly held: HeldCode };

export function headline({ state, partial, outcomes }: HeadlineFacts): Headline {
  const counted = outcomes.map((outcome) => ({ ...outcome, held: heldCode(outcome) }));
  const code = codeOf(state, partial, counted);
  const inDoubt = counted.some(
    ({ role, held }) => held === 'in_doubt' && (role === 'auth' || state === 'failed'),
  );
  const lead = (inDoubt ? ifInDoubt[code] : undefined) ?? headlineSentences[code];
  const prevented = preventedSignIns(outcomes);
  const says =
    prevented === 0 ? lead : `${lead}, but the person cannot sign in to ${prevented} of them`;
  return {
    code,
    says: [says, ...(hasEnded(state) ? clausesOf(state, code, counted) : [])].join('; '),
  };
}

function codeOf(state: ChangeState, partial: boolean, outcomes: readonly Counted[]): HeadlineCode {
  switch (state) {
    case 'waiting': {
      const open = outcomes.filter((outcome) => !isSettled(outcome.state));
      const isParked = open.length > 0 && open.every((outcome) => outcome.state === 'parked');
      return isParked ? 'parked' : 'waiting';
    }
    case 'done':
      return partial ? 'stored_only' : endOfDone(outcomes);
    case 'partial':
      if (
        outcomes.some(isReplaced) &&
        outcomes.every((one) => isReplaced(one) || isTaken(one) || isLeftOut(one))
      )
        return 'replaced';
      return outcomes.some((one) => isTaken(one) && isNewer(one.held)) ? 'taken_partly' : 'partial';
    case 'refused':
      if (outcomes.some(({ role, held }) => role === 'auth' && held === 'changed_there'))
        return 'refused_at_origin';
      return outcomes.some(({ role, attempts }) => role === 'member' && attempts > 0)
        ? 'refused_late'
        : 'refused';
    default:
      return state;
  }
}

function endOfDone(outcomes: readonly Counted[]): HeadlineCode {
  const leftOut = outcomes.some((one) => isLeftOut(one) && isAccount(one));
  const taken = outcomes.filter(isTaken);
  if (taken.length > 0 && taken.every(({ held }) => held === 'changed_there'))
    return 'changed_there_only';
  if (taken.some(({ held }) => held === 'accepted' || isNewer(held)))
    return leftOut ? 'taken_where_planned' : 'taken';
  return leftOut ? 'where_planned' : 'everywhere';
}

/** The rest of the sentence about a change that has ended. */
function clausesOf(state: ChangeState, code: HeadlineCode, outcomes: readonly Counted[]): string[] {
  if (code === 'stored_only') return [];
  const count: Count = (applies) => outcomes.filter(applies).length;
  const isPartial = state === 'partial' && code !== 'replaced';
  return [
    ...(state === 'done' || state === 'partial'
      ? [...unverified(count), ...leftOutSays(outcomes)]
      : heldInVain(count)),
    ...counting(count(isUnknown), 'may hold the new password or another one'),
    ...counting(isPartial ? count(isReplaced) : 0, 'left to a newer password'),
    ...counting(isPartial ? count(isCancelled) : 0, 'cancelled'),
    ...counting(
      count(({ held }) => held === 'newer_change'),
      'written by a newer change since',
    ),
    ...counting(
      count(({ held }) => held === 'changed_since'),
      'changed in the source since',
    ),
  ];
}

type Count = (applies: (outcome: Counted) => boolean) => number;

/** Which accounts hold a password that the auth account did not take. */
function heldInVain(count: Count): string[] {
  const others = count(({ held }) => held === 'verified' || held === 'accepted');
  const there = count(({ held }) => held === 'changed_there');
  return [
    ...(there === 0
      ? []
      : [`${others === 0 ? 'only ' : ''}the account in which the password was changed holds it`]),
    ...counting(others, others === 1 ? 'other holds it' : 'others hold it'),
  ];
}

function unverified(count: Count): string[] {
  const accepted = count(({ held }) => held === 'accepted');
  const held = accepted + count((one) => one.held === 'verified');
  if (accepted === 0) return [];
  return [
    accepted === held
      ? 'none is verified'
      : `${accepted} of ${held} ${accepted === 1 ? 'is' : 'are'} not verified`,
  ];
}

function leftOutSays(outcomes: readonly Counted[]): string[] {
  const left = outcomes.filter((one) => isLeftOut(one) && isAccount(one));
  const reasons = new Set(
    left.flatMap(({ reason }) => (reason === null ? [] : [reason.replaceAll('_', ' ')])),
  );
  return left.length === 0 ? [] : [`${left.length} left out (${[...reasons].join(', ')})`];
}

const counting = (number: number, says: string): string[] =>
  number === 0 ? [] : [`${number} ${says}`];

const isTaken = ({ state }: Counted): boolean => state === 'applied';
const isReplaced = ({ state }: Counted): boolean => state === 'superseded';
const isCancelled = ({ state }: Counted): boolean => state === 'cancelled';
const isLeftOut = ({ state }: Counted): boolean => state === 'not_applicable';
const isNewer = (held: HeldCode): boolean => heldRules[held].holds === 'newer';

/** False where the person has no account. */
const isAccount = ({ held }: Counted): boolean => held !== 'no_account';

const isUnknown = ({ held }: Counted): boolean => held === 'in_doubt' || held === 'another_account';
