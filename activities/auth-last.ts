import { authGoesLast } from '../model/change/change';
import { isSettled } from '../model/change/outcome';
import { type Chosen, isChosen } from '../store/worker/chosen';
import type { Standing } from '../store/worker/outcomes';
import type { Aim } from './attempt';

/** What may be done now with the chosen accounts, when one of them is an auth account that goes last. */
export function aimAt(chosen: Chosen, standings: readonly Standing[]): Aim | 'leave' {
  const auth = standings.find((one) => one.role === 'auth' && isChosen(chosen, one));
  if (auth === undefined || !authGoesLast(standings)) return 'write';
  const others = standings.filter(
    ({ role, state }) => role === 'member' && state !== 'not_applicable',
  );
  if (others.some(({ state }) => !isSettled(state))) return 'validate';
  return others.every(({ state }) => state === 'applied') ? 'write' : 'leave';
}
