import type { OutcomeState } from '../../model/change/outcome';
import { pauseReasons } from '../../model/change/source-circuit';

/** Whether the source of an account is paused, so that the account waits whatever is ordered. */
export const isHeld = ({ reason }: { readonly reason: string | null }): boolean =>
  pauseReasons.some((pause) => pause === reason);

/** A retry does nothing for an account whose source is paused, except that it ends the parking. */
export const mayRetry = (account: {
  readonly state: OutcomeState;
  readonly reason: string | null;
}): boolean => account.state === 'parked' || (account.state === 'waiting' && !isHeld(account));
