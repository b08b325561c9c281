import { authGoesLast } from '../model/change/change';
import { isSettled, type OutcomeState } from '../model/change/outcome';
import {
  type Pass,
  type PlannedAccount,
  passesOver,
  planChange,
  planPartial,
} from '../model/change/plan';
import { groupsOf, sourcesOf } from '../model/configuration/document';
import type { ErrorCode } from '../model/errors';
import {
  noteApplying,
  noteWaiting,
  type OutcomeStatus,
  readOutcomeStatuses,
} from '../store/worker/outcomes';
import { storePlan } from '../store/worker/store-plan';
import { passName } from '../workflows/names';
import { attemptAccounts } from './attempt/attempt-accounts';
import type { Dependencies } from './dependencies';
import { settleMappingsSoFar } from './settle-mappings';
import { isOriginConfirmed } from './shared/confirm-origin';
import { type LoadedChange, loadChange } from './shared/load-change';
import { lookInMs } from './shared/next-look';
import { refusalOfAdapters } from './shared/refuse-adapter-change';

export interface AuthStep {
  /** Null when the person has no account in the auth source. */
  readonly auth: {
    readonly label: string;
    readonly source: string;
    readonly state: OutcomeState;
    /** True when the account was validated, and is written only after every other account (directory-last). */
    readonly othersFirst: boolean;
    /**
     * Set when it waits only for its source: milliseconds until this step is repeated, 0 when the change is too old.
     */
    readonly lookInMs?: number;
  } | null;
  readonly authGoesLast: boolean;
  /** The sources whose other accounts are to be changed, without accounts that are left out. */
  readonly passes: readonly NamedPass[];
  /** Milliseconds until the change is too old, by the clock of the database. */
  readonly remainingMs: number;
  /** True when the change shows without a patch marker that accounts wait. Absent in older histories. */
  readonly showsState?: boolean;
}

export type NamedPass = Pass & {
  /** Type of the local activity of an inline pass. Absent in histories that were recorded when all had the same one. */
  readonly activity?: string;
};

/**
 * Activity 1 of 6. Confirms the account of a capture (`isOriginConfirmed`), lets the rules of adapters refuse the change
 * (`refusalOfAdapters`), makes the plan, then validates and changes the auth account (`attemptAccounts`). It is one
 * step, because each step costs Temporal an event, and people wait for this one. It is repeated while the auth account
 * waits only for its source; the plan stays. When the auth source is on the queue lane, this step only makes the plan,
 * and `finishAccounts` changes the auth account.
 */
export function changeAuthAccount(deps: Dependencies) {
  return async (changeId: string): Promise<AuthStep> => {
    const loaded = await loadChange(deps, changeId);
    const { change, configuration } = loaded;
    const sources = sourcesOf(configuration);
    const stored = change.planned
      ? null
      : await storePlan(deps.db, change.id, planOf(loaded), await refusalOf(deps, loaded), change);
    // After a crash the plan may be stored, and the auth account settled, already.
    const planned = stored ?? (await readOutcomeStatuses(deps.db, change.id));
    const auth = planned.find(({ role }) => role === 'auth');
    const lane = sources.find(({ name }) => name === auth?.source)?.lane;
    const goesLast = authGoesLast(planned);
    const statuses =
      auth === undefined || isSettled(auth.state) || lane === 'queue'
        ? planned
        : await attemptAccounts(
            deps,
            loaded,
            { source: auth.source, role: 'auth' },
            goesLast ? 'validate' : 'write',
          );
    const reached = statuses.find(({ role }) => role === 'auth');
    // The origin holds the new password whatever becomes of the auth account, which may be away for long.
    if (change.origin !== null && reached !== undefined && !isSettled(reached.state))
      await settleMappingsSoFar(deps, change.id);
    const lookMs = await waitOf(deps, loaded, reached);
    return {
      auth:
        reached === undefined
          ? null
          : {
              label: reached.label,
              source: reached.source,
              state: reached.state,
              othersFirst: reached.reason === 'others_first',
              ...(lookMs !== undefined && { lookInMs: lookMs }),
            },
      authGoesLast: goesLast,
      passes: passesOver(
        statuses.filter(({ state }) => state !== 'not_applicable'),
        sources,
      ).map((pass) =>
        pass.lane === 'inline' ? { ...pass, activity: passName(pass.sources) } : pass,
      ),
      remainingMs: change.remainingMs,
      showsState: true,
    };
  };
}

/**
 * Records whether the change waits for its auth account.
 * @returns the time until the next attempt, if the auth account waits only for its source
 */
async function waitOf(
  deps: Dependencies,
  { change }: LoadedChange,
  auth: OutcomeStatus | undefined,
): Promise<number | undefined> {
  const isOpen = auth !== undefined && !isSettled(auth.state) && auth.reason !== 'others_first';
  const lookMs = isOpen ? lookInMs([auth], change.remainingMs) : undefined;
  if (lookMs !== undefined) await noteWaiting(deps.db, change.id);
  else if (change.planned) await noteApplying(deps.db, change.id);
  return lookMs;
}

const refusalOf = async (deps: Dependencies, loaded: LoadedChange): Promise<ErrorCode | null> =>
  (await isOriginConfirmed(deps, loaded))
    ? refusalOfAdapters(deps, loaded)
    : 'capture_of_another_account';

function planOf({ change, configuration }: LoadedChange): PlannedAccount[] {
  const { accounts, origin, partial } = change;
  const captured = accounts.find(({ id }) => id === origin?.id);
  if (partial) return captured === undefined ? [] : planPartial(captured);
  const groups = groupsOf(configuration).filter(({ name }) => change.groups.includes(name));
  const sources = sourcesOf(configuration);
  return planChange({ groups, sources, accounts, originAccountId: origin?.id });
}
