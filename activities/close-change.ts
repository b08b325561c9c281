import { authGoesLast, type ChangeState, changeState } from '../model/change/change';
import { isSettled, type SettledState } from '../model/change/outcome';
import { type ErrorCode, isErrorCode } from '../model/errors';
import { endChange } from '../store/worker/close';
import {
  type OutcomeStatus,
  readOutcomeStatuses,
  type Settlement,
  settleAccounts,
} from '../store/worker/outcomes';
import type { Dependencies } from './dependencies';
import { openWork } from './open-change';
import { settleMappingsOf } from './settle-mappings';
import { untried } from './untried';

/** Why a change comes to its end; `finished` when no account is left to be settled, or none may be. */
export type Stop = 'finished' | 'cancelled' | 'superseded' | 'expired';

export interface Closing {
  readonly state: ChangeState;
  readonly sources: readonly string[];
  /** Accounts that should hold the new password and do not. */
  readonly failed: number;
}

/** The last step: outcomes are final, mappings tell the truth, the sealed password is destroyed. */
export function closeChange(deps: Dependencies) {
  return async (changeId: string, stop: Stop): Promise<Closing> => {
    const work = await openWork(deps, changeId);
    const statuses = await readOutcomeStatuses(deps.db, changeId);
    const leftovers = leftoversOf(statuses, stop);
    if (leftovers.length > 0) await settleAccounts(deps.db, work.change, leftovers);
    await settleMappingsOf(deps, work);
    const final = statuses.map((standing) => ({
      ...standing,
      ...leftovers.find(({ label }) => label === standing.label),
    }));
    const state = changeState(final);
    await endChange(deps.db, changeId, { state, reason: reasonOf(state, final) });
    return {
      state,
      sources: [...new Set(final.map(({ source }) => source))],
      failed: final.filter((one) => one.state !== 'applied' && one.state !== 'not_applicable')
        .length,
    };
  };
}

const ends: Readonly<Record<Stop, [SettledState, Settlement['reason']]>> = {
  finished: ['not_attempted', 'auth_unchanged'],
  cancelled: ['cancelled', null],
  superseded: ['superseded', null],
  expired: ['expired', 'too_old'],
};

/** Without an auth account that holds the new password, nobody else was attempted. */
function leftoversOf(statuses: readonly OutcomeStatus[], stop: Stop): Settlement[] {
  const gated =
    !authGoesLast(statuses) &&
    !statuses.some(({ role, state }) => role === 'auth' && state === 'applied');
  return statuses
    .filter(({ state }) => !isSettled(state))
    .map((standing) => {
      const [end, reason] = gated && standing.role === 'member' ? ends.finished : ends[stop];
      return untried(standing, end, reason);
    });
}

/** Why nothing was changed: because of the auth account, or because there is none. */
function reasonOf(
  state: ChangeState,
  final: readonly Pick<OutcomeStatus, 'role' | 'reason'>[],
): ErrorCode | null {
  if (state === 'done' || state === 'partial') return null;
  const auth = final.find(({ role }) => role === 'auth');
  if (auth === undefined) return 'no_auth_account';
  return auth.reason !== null && isErrorCode(auth.reason) ? auth.reason : null;
}
