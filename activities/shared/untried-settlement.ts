import type { SettledState } from '../../model/change/outcome';
import type { OutcomeStatus, Settlement } from '../../store/worker/outcomes';

/** A claimed account has no `state` here: its `inDoubt` already includes a write that began before. */
type UntriedAccount = Pick<OutcomeStatus, 'label' | 'inDoubt'> &
  Partial<Pick<OutcomeStatus, 'state'>>;

/**
 * The settlement of an account that this step ends without calling its connector: cancelled, superseded, left out. When
 * a write had begun earlier (state `applying`), the account stays in doubt, because it may hold either password.
 */
export const untriedSettlement = (
  { label, state: before, inDoubt }: UntriedAccount,
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
