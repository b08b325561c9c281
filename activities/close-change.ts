import { authGoesLast, type ChangeState, changeState, isFailure } from '../model/change/change';
import { headline } from '../model/change/headline';
import { holdsAfter } from '../model/change/holds';
import { isSettled, outcomeStates, type SettledState } from '../model/change/outcome';
import { factsOf } from '../model/change/reason';
import { type ErrorCode, isErrorCode } from '../model/errors';
import { endChange } from '../store/worker/close';
import {
  type FinalStatus,
  type OutcomeStatus,
  readFinalStatuses,
  type Settlement,
  settleAccounts,
} from '../store/worker/outcomes';
import { attemptAccounts } from './attempt/attempt-accounts';
import type { Dependencies } from './dependencies';
import { settleMappings } from './settle-mappings';
import { loadChange } from './shared/load-change';
import { untriedSettlement } from './shared/untried-settlement';

/** Why a change ends; `finished` when every account is settled, or the auth account did not take the password. */
export type Stop = 'finished' | 'cancelled' | 'superseded' | 'expired';

export interface Closing {
  readonly state: ChangeState;
  readonly sources: readonly string[];
  /** Number of accounts that should hold the new password and do not. */
  readonly failed: number;
  /** A line for each of those accounts, with its label and reason, for the Web UI. Absent in older histories. */
  readonly unchanged?: readonly string[];
  /** Why the workflow fails; null when the change ended as wanted. Absent in older histories, which did not fail. */
  readonly failure?: string | null;
  /** The sentence about the change. Absent in older histories. */
  readonly says?: string;
}

/**
 * Activity 6 of 6, the last step of every change: ends the outcomes that are still open, settles the single sign-on
 * mappings a last time, stores the final state of the change and destroys the sealed password.
 */
export function closeChange(deps: Dependencies) {
  return async (changeId: string, stop: Stop): Promise<Closing> => {
    const statuses = await knownStatuses(deps, changeId, stop);
    const leftovers = leftoversOf(statuses, stop);
    if (leftovers.length > 0 || statuses.length === 0) {
      const { change } = await loadChange(deps, changeId);
      if (leftovers.length > 0) await settleAccounts(deps.db, change, leftovers);
    }
    if (statuses.some(({ mapped }) => mapped)) await settleMappings(deps)(changeId);
    const final = statuses.map((status) => ({
      ...status,
      ...leftovers.find(({ label }) => label === status.label),
    }));
    const state = changeState(final);
    const says = sentenceOf(state, final);
    await endChange(deps.db, changeId, { state, reason: reasonOf(state, final), says });
    const unchanged = unchangedLines(final);
    return {
      state,
      sources: [...new Set(final.map(({ source }) => source))],
      failed: unchanged.length,
      unchanged: atMost(LINES_AT_MOST, unchanged),
      failure: isFailure(state, final)
        ? [`${says}:`, ...atMost(LINES_AT_MOST, unchanged)].join('\n')
        : null,
      says,
    };
  };
}

type Ended = Omit<FinalStatus, 'nextTryInMs'>;

const sentenceOf = (state: ChangeState, final: readonly Ended[]): string =>
  headline({
    state,
    partial: final.some(({ partial }) => partial),
    outcomes: final.map((status) => ({ ...status, ...factsOf(status.state, status.reason) })),
  }).says;

/** The Web UI shows every line, and Temporal keeps them. */
const LINES_AT_MOST = 20;

function atMost(limit: number, lines: readonly string[]): string[] {
  const left = lines.length - limit;
  return left <= 0 ? [...lines] : [...lines.slice(0, limit), `and ${left} more accounts`];
}

/** One line for each account that should hold the new password and does not. */
const unchangedLines = (final: readonly Ended[]): string[] =>
  final
    .filter((status) => status.state !== 'not_applicable' && holdsAfter(status) !== 'new')
    .map(
      ({ label, state, reason }) =>
        `${label}: ${outcomeStates[state].says}${reason === null ? '' : ` (${reason})`}`,
    );

/**
 * The statuses of all accounts. A crash of the database may have undone the settlement of a verified account (decision
 * 0021): it is verified again, because the change would report it as not attempted.
 */
async function knownStatuses(
  deps: Dependencies,
  changeId: string,
  stop: Stop,
): Promise<FinalStatus[]> {
  const statuses = await readFinalStatuses(deps.db, changeId);
  const forgotten = statuses.filter(({ state }) => stop === 'finished' && state === 'applying');
  if (forgotten.length === 0) return statuses;
  const loaded = await loadChange(deps, changeId);
  for (const { source, label } of forgotten) await attemptAccounts(deps, loaded, { source, label });
  return readFinalStatuses(deps.db, changeId);
}

const ends: Readonly<Record<Stop, [SettledState, Settlement['reason']]>> = {
  finished: ['not_attempted', 'auth_unchanged'],
  cancelled: ['cancelled', null],
  superseded: ['superseded', null],
  expired: ['expired', 'too_old'],
};

/**
 * The settlements of the accounts that are still open. While the auth account goes first and does not hold the new
 * password, every other account ends as `not_attempted`, whatever stopped the change.
 */
function leftoversOf(statuses: readonly OutcomeStatus[], stop: Stop): Settlement[] {
  const authFailed =
    !authGoesLast(statuses) &&
    !statuses.some(({ role, state }) => role === 'auth' && state === 'applied');
  return statuses
    .filter(({ state }) => !isSettled(state))
    .map((status) => {
      const [end, reason] = authFailed && status.role === 'member' ? ends.finished : ends[stop];
      return untriedSettlement(status, end, reason);
    });
}

/** Why the change as a whole failed: the reason of the auth account, or that there is no auth account. */
function reasonOf(
  state: ChangeState,
  final: readonly Pick<OutcomeStatus, 'role' | 'reason'>[],
): ErrorCode | null {
  if (state === 'done' || state === 'partial') return null;
  const auth = final.find(({ role }) => role === 'auth');
  if (auth === undefined || auth.reason === 'no_account_found') return 'no_auth_account';
  return auth.reason !== null && isErrorCode(auth.reason) ? auth.reason : null;
}
