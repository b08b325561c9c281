import { authGoesLast } from '../model/change/change';
import { isSettled } from '../model/change/outcome';
import { type Chosen, isChosen } from '../store/worker/chosen';
import type { OutcomeStatus } from '../store/worker/outcomes';
import type { Aim } from './attempt';

/** What may be done now with the chosen accounts, when one of them is an auth account that goes last. */
export function aimAt(chosen: Chosen, statuses: readonly OutcomeStatus[]): Aim | 'leave' {
  const auth = statuses.find((one) => one.role === 'auth' && isChosen(chosen, one));
  if (auth === undefined || !authGoesLast(statuses)) return 'write';
  const others = statuses.filter(
    ({ role, state }) => role === 'member' && state !== 'not_applicable',
  );
  if (others.some(({ state }) => !isSettled(state))) return 'validate';
  return others.every(({ state }) => state === 'applied') ? 'write' : 'leave';
}
