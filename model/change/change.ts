import { isSettled, type OutcomeState } from './outcome';

/** Where one change stands as a whole. */
export const changeStates = {
  accepted: { ended: false, says: 'accepted, not begun' },
  applying: { ended: false, says: 'under way' },
  waiting: { ended: false, says: 'some accounts wait for another attempt' },
  done: { ended: true, says: 'every account holds the new password' },
  partial: { ended: true, says: 'some accounts hold the new password, some do not' },
  refused: { ended: true, says: 'the auth account refused; nothing else was attempted' },
  failed: { ended: true, says: 'no account took the new password' },
  expired: { ended: true, says: 'too old before the auth account could be changed' },
  cancelled: { ended: true, says: 'cancelled' },
  superseded: { ended: true, says: 'left to a newer change' },
} as const;

export type ChangeState = keyof typeof changeStates;

export const hasEnded = (state: ChangeState): boolean => changeStates[state].ended;

export type Role = 'auth' | 'member';

interface PlannedOutcome {
  readonly role: Role;
  readonly state: OutcomeState;
}

const endOfAuth: Partial<Record<OutcomeState, ChangeState>> = {
  rejected: 'refused',
  expired: 'expired',
  cancelled: 'cancelled',
  superseded: 'superseded',
  not_applicable: 'refused',
};

/** The auth account did not take the password, so nobody holds it. */
export const endedInVain: readonly ChangeState[] = [
  ...new Set([...Object.values(endOfAuth), 'failed' as const]),
];

/** Told by the order of the plan alone, so that a change goes on as it began when the configuration does not. */
export const authGoesLast = (planned: readonly { readonly role: Role }[]): boolean =>
  planned.length > 1 && planned.at(-1)?.role === 'auth';

/** The state of a planned change follows from its outcomes, in the order of the plan, and from nothing else. */
export function changeState(outcomes: readonly PlannedOutcome[]): ChangeState {
  const auth = outcomes.find(({ role }) => role === 'auth');
  if (auth === undefined) return 'refused';
  const touched = outcomes.filter(({ state }) => state !== 'not_applicable');
  const applied = touched.filter(({ state }) => state === 'applied').length;
  const end = endOfAuth[auth.state];
  if (end !== undefined && (applied === 0 || !authGoesLast(outcomes))) return end;
  if (touched.every(({ state }) => isSettled(state)))
    return applied === touched.length ? 'done' : applied === 0 ? 'failed' : 'partial';
  const members = touched.filter(({ role }) => role === 'member');
  const [first, second] = authGoesLast(outcomes) ? [members, [auth]] : [[auth], members];
  const acting = first.every(({ state }) => isSettled(state)) ? second : first;
  return acting.every(({ state }) => isSettled(state) || isWaiting(state)) ? 'waiting' : 'applying';
}

const isWaiting = (state: OutcomeState): boolean => state === 'waiting' || state === 'parked';
