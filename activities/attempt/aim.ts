import { authGoesLast } from '../../model/change/change';
import { isSettled } from '../../model/change/outcome';
import { type Chosen, isChosen } from '../../store/worker/chosen';
import type { OutcomeStatus } from '../../store/worker/outcomes';

/** `write` changes the account; `validate` only checks that it may be changed. */
export type Aim = 'validate' | 'write';

/**
 * The aim of the next attempt at the chosen accounts. It is `write`, unless the auth account is one of them and goes
 * last (directory-last): then it is `validate` until every other account is settled, and `leave` when one of those does
 * not hold the new password.
 */
export function aimAt(chosen: Chosen, statuses: readonly OutcomeStatus[]): Aim | 'leave' {
  const auth = statuses.find((status) => status.role === 'auth' && isChosen(chosen, status));
  if (auth === undefined || !authGoesLast(statuses)) return 'write';
  const others = statuses.filter(
    ({ role, state }) => role === 'member' && state !== 'not_applicable',
  );
  if (others.some(({ state }) => !isSettled(state))) return 'validate';
  return others.every(({ state }) => state === 'applied') ? 'write' : 'leave';
}
