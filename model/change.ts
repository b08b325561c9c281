import { isSettled, type OutcomeState } from './outcome';

/** Where one change stands as a whole. */
export const changeStates = {
  accepted: { ended: false, says: 'accepted, not begun' },
  applying: { ended: false, says: 'under way' },
  waiting: { ended: false, says: 'some accounts wait for another attempt' },
  done: { ended: true, says: 'every account holds the new password' },
  partial: { ended: true, says: 'some accounts hold the new password, some do not' },
  refused: { ended: true, says: 'the auth account refused; nothing else was attempted' },
  expired: { ended: true, says: 'too old before the auth account could be changed' },
  cancelled: { ended: true, says: 'cancelled' },
  superseded: { ended: true, says: 'left to a newer change' },
} as const;

export type ChangeState = keyof typeof changeStates;

export const hasEnded = (state: ChangeState): boolean => changeStates[state].ended;

export type Role = 'auth' | 'member';

interface Standing {
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

/** The state of a planned change follows from its outcomes and from nothing else. */
export function changeState(outcomes: readonly Standing[]): ChangeState {
  const auth = outcomes.find((outcome) => outcome.role === 'auth');
  if (auth === undefined) return 'refused';
  if (!isSettled(auth.state)) return isWaiting(auth.state) ? 'waiting' : 'applying';
  const end = endOfAuth[auth.state];
  if (end !== undefined) return end;
  const touched = outcomes.filter((outcome) => outcome.state !== 'not_applicable');
  if (touched.every((outcome) => outcome.state === 'applied')) return 'done';
  if (touched.every((outcome) => isSettled(outcome.state))) return 'partial';
  return touched.every(({ state }) => isSettled(state) || isWaiting(state))
    ? 'waiting'
    : 'applying';
}

const isWaiting = (state: OutcomeState): boolean => state === 'waiting' || state === 'parked';
