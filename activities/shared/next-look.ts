import { HELD_LOOK_MS, heldReasons } from '../../model/change/source-circuit';
import type { OutcomeStatus } from '../../store/worker/outcomes';

/**
 * Time until the first of these open accounts is tried again, in milliseconds. The last attempt is made when the change
 * becomes too old. A parked account is looked at once in a while, in case that its wake-up is lost.
 */
export function nextLookMs(open: readonly OutcomeStatus[], remainingMs: number): number {
  const waits = open.map(({ state, nextTryInMs }) =>
    state === 'parked' ? HELD_LOOK_MS : nextTryInMs,
  );
  return Math.max(1000, Math.min(...waits, remainingMs));
}

/**
 * The same, for accounts that wait only for their source or are parked: the workflow itself waits for them.
 * @returns undefined when none is open or one waits for something else; 0 when the change is too old
 */
export function lookInMs(open: readonly OutcomeStatus[], remainingMs: number): number | undefined {
  if (open.length === 0 || !open.every(isHeld)) return undefined;
  return remainingMs > 0 ? nextLookMs(open, remainingMs) : 0;
}

const isHeld = ({ state, reason }: OutcomeStatus): boolean =>
  state === 'parked' || (state === 'waiting' && heldReasons.some((held) => held === reason));
