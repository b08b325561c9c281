import type { SettledState } from '../model/change/outcome';
import type { OutcomeStatus, Settlement } from '../store/worker/outcomes';

/** Of one that was claimed, the claim knows whether it was being written before. */
type Untried = Pick<OutcomeStatus, 'label' | 'inDoubt'> & Partial<Pick<OutcomeStatus, 'state'>>;

/** What becomes of an account without an attempt at it. One that was being written may hold either password. */
export const untried = (
  { label, state: before, inDoubt }: Untried,
  state: SettledState,
  reason: Settlement['reason'],
): Settlement => ({
  label,
  state,
  reason,
  vendorCode: null,
  proof: 'none',
  inDoubt: inDoubt || before === 'applying',
  nextTryInMs: null,
});
