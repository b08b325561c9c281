import { isSettled, type OutcomeState } from './outcome';

/**
 * The states of a change as a whole. `says` is true for every change in that state; `headline.ts` has the sentence about
 * one change.
 */
export const changeStates = {
  accepted: { ended: false, says: 'accepted, not begun' },
  applying: { ended: false, says: 'in progress' },
  waiting: { ended: false, says: 'some accounts wait for the next attempt' },
  done: { ended: true, says: 'every account that was to be changed took the new password' },
  partial: { ended: true, says: 'some accounts took the new password, some did not' },
  refused: { ended: true, says: 'the auth account was not changed, so no other account was' },
  failed: { ended: true, says: 'no account is known to have taken the new password' },
  expired: { ended: true, says: 'expired before the auth account was known to be changed' },
  cancelled: { ended: true, says: 'cancelled' },
  superseded: { ended: true, says: 'replaced by a newer password' },
} as const;

export type ChangeState = keyof typeof changeStates;

/** In how many accounts the person cannot sign in, although they hold the new password. */
export const preventedSignIns = (
  outcomes: readonly { readonly signInPrevented: unknown }[],
): number => outcomes.filter(({ signInPrevented }) => signInPrevented !== null).length;

export const hasEnded = (state: ChangeState): boolean => changeStates[state].ended;

/**
 * True for the ends that an operator may want to look at: an account does not hold the new password, and neither a
 * caller nor a newer change has asked for that. Their workflows fail, so the Web UI lists them among the failures.
 */
export function isFailure(
  state: ChangeState,
  outcomes: readonly { readonly state: OutcomeState }[],
): boolean {
  if (state !== 'partial') return state === 'refused' || state === 'failed' || state === 'expired';
  return outcomes.some((outcome) => outcome.state === 'rejected' || outcome.state === 'expired');
}

export type Role = 'auth' | 'member';

interface PlannedOutcome {
  readonly role: Role;
  readonly state: OutcomeState;
}

/** The state of the whole change when the auth account ended in this outcome. */
const endOfAuth: Partial<Record<OutcomeState, ChangeState>> = {
  rejected: 'refused',
  expired: 'expired',
  cancelled: 'cancelled',
  superseded: 'superseded',
  not_applicable: 'refused',
};

/** The states in which a change ended without any account holding its password. */
export const endedInVain: readonly ChangeState[] = [
  ...new Set([...Object.values(endOfAuth), 'failed' as const]),
];

/**
 * True when the auth account is the last of the plan (directory-last). It is read from the order of the plan alone, so
 * that a change continues as it began although the configuration changed.
 */
export const authGoesLast = (planned: readonly { readonly role: Role }[]): boolean =>
  planned.length > 1 && planned.at(-1)?.role === 'auth';

/** The state of a planned change. It follows from its outcomes, in the order of the plan, and from nothing else. */
export function changeState(outcomes: readonly PlannedOutcome[]): ChangeState {
  const auth = outcomes.find(({ role }) => role === 'auth');
  if (auth === undefined) return 'refused';
  const touched = outcomes.filter(({ state }) => state !== 'not_applicable');
  const applied = touched.filter(({ state }) => state === 'applied').length;
  const end = endOfAuth[auth.state];
  if (end !== undefined && (applied === 0 || !authGoesLast(outcomes))) return end;
  if (touched.every(({ state }) => isSettled(state)))
    return applied === touched.length
      ? 'done'
      : applied > 0
        ? 'partial'
        : endWithoutSuccess(touched);
  const members = touched.filter(({ role }) => role === 'member');
  const [first, second] = authGoesLast(outcomes) ? [members, [auth]] : [[auth], members];
  const acting = first.every(({ state }) => isSettled(state)) ? second : first;
  return acting.every(({ state }) => isSettled(state) || isWaiting(state)) ? 'waiting' : 'applying';
}

const endWithoutSuccess = (touched: readonly PlannedOutcome[]): ChangeState =>
  touched.some(({ state }) => state === 'superseded') ? 'superseded' : 'failed';

const isWaiting = (state: OutcomeState): boolean => state === 'waiting' || state === 'parked';
