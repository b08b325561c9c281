import { authGoesLast } from '../model/change/change';
import { isSettled, type OutcomeState } from '../model/change/outcome';
import { passesOver, planChange, type SourcePass } from '../model/change/plan';
import { groupsOf, sourcesOf } from '../model/configuration/document';
import { readOutcomeStatuses } from '../store/worker/outcomes';
import { storePlan } from '../store/worker/store-plan';
import { attemptAccounts } from './attempt-accounts';
import type { Dependencies } from './dependencies';
import { openWork } from './open-change';

export interface AuthStep {
  /** Null when the person has no account in the auth source. */
  readonly auth: {
    readonly label: string;
    readonly source: string;
    readonly state: OutcomeState;
    /** It goes last, and nothing speaks against it. */
    readonly othersFirst: boolean;
  } | null;
  readonly authGoesLast: boolean;
  /** What to do once the auth account holds the new password, or before that when it goes last. */
  readonly passes: readonly SourcePass[];
  /** Until the change is too old. */
  readonly remainingMs: number;
}

/**
 * Makes the plan, then validates and changes the auth account: both in one step, because each step costs the engine an
 * event, and this is the step that people wait for. When the auth source is on the queue lane, only the plan is made.
 */
export function changeAuthAccount(deps: Dependencies) {
  return async (changeId: string): Promise<AuthStep> => {
    const work = await openWork(deps, changeId);
    const { change, configuration } = work;
    const sources = sourcesOf(configuration);
    if (!change.planned) {
      const groups = groupsOf(configuration).filter(({ name }) => change.groups.includes(name));
      await storePlan(
        deps.db,
        change.id,
        planChange({ groups, sources, accounts: change.accounts }),
      );
    }
    // Read back rather than derived: after a crash the plan and the auth account may be settled already.
    const planned = await readOutcomeStatuses(deps.db, change.id);
    const auth = planned.find(({ role }) => role === 'auth');
    const lane = sources.find(({ name }) => name === auth?.source)?.lane;
    const goesLast = authGoesLast(planned);
    const statuses =
      auth === undefined || isSettled(auth.state) || lane === 'queue'
        ? planned
        : await attemptAccounts(
            deps,
            work,
            { source: auth.source, role: 'auth' },
            goesLast ? 'validate' : 'write',
          );
    const reached = statuses.find(({ role }) => role === 'auth');
    return {
      auth:
        reached === undefined
          ? null
          : {
              label: reached.label,
              source: reached.source,
              state: reached.state,
              othersFirst: reached.reason === 'others_first',
            },
      authGoesLast: goesLast,
      passes: passesOver(
        statuses.filter(({ state }) => state !== 'not_applicable'),
        sources,
      ),
      remainingMs: change.remainingMs,
    };
  };
}
