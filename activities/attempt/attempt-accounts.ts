import { isSettled } from '../../model/change/outcome';
import { type Configuration, sourceNamed } from '../../model/configuration/document';
import { asks } from '../../model/configuration/isolation';
import { type Limits, limitsOf } from '../../model/configuration/limits';
import { type Chosen, isChosen } from '../../store/worker/chosen';
import { type ClaimedAccount, holdAccounts } from '../../store/worker/claims';
import {
  type ChangeAtWork,
  type MappedOutcomeStatus,
  readOutcomeStatuses,
  type Settlement,
  settleAndRead,
} from '../../store/worker/outcomes';
import { returnTurns, takeTurns, waitInLine, wakeNextInLine } from '../../store/worker/turns';
import type { Dependencies } from '../dependencies';
import { filterInChange, withFilteredPasswords } from '../shared/filter-passwords';
import type { LoadedChange } from '../shared/load-change';
import { beginMaintenance } from '../shared/maintenance';
import { untriedSettlement } from '../shared/untried-settlement';
import type { Aim } from './aim';
import { claimAndWrite } from './claim-and-write';
import { findUnlinkedAccounts } from './find-unlinked-accounts';
import type { SourceAtWork } from './write-claimed-account';

/**
 * Makes one attempt at each chosen account of one source, and stores an outcome for each (I5: the outcome of one
 * account never changes that of another). Accounts that are settled already are skipped, so a repeat is harmless.
 *
 * Called by the activities `changeAuthAccount`, `passOverSource` and `finishAccounts`. Calls, in this order:
 * `findUnlinkedAccounts` (accounts without a link), then `claimAndWrite` (claims in batches) → `writeClaimedAccount`
 * (one account and its settlement) → `writeAndVerify` (the calls to the connector).
 *
 * @returns the status of every account of the change, those of other sources included
 */
export async function attemptAccounts(
  deps: Dependencies,
  loaded: LoadedChange,
  chosen: Chosen,
  aim: Aim = 'write',
): Promise<MappedOutcomeStatus[]> {
  const { change, configuration } = loaded;
  const source = sourceNamed(configuration, chosen.source);
  if (!change.authorized)
    return settleUntried(deps, change, chosen, 'cancelled', 'no_longer_authorized');
  if (source === undefined)
    return settleUntried(deps, change, chosen, 'not_applicable', 'source_removed');
  // An inline pass that was planned before the source was isolated leaves its accounts to the task queue of the source.
  if (!asks(deps.boundTo, chosen.source, source)) return readOutcomeStatuses(deps.db, change.id);
  const rules = deps.accountRules(source, configuration.sources);
  const at = { name: chosen.source, configuration: source, rules, aim };
  const settled = await attemptUnlessHeld(deps, loaded, at, chosen);
  return settled ?? readOutcomeStatuses(deps.db, change.id);
}

async function settleUntried(
  deps: Dependencies,
  change: ChangeAtWork,
  chosen: Chosen,
  state: 'cancelled' | 'not_applicable',
  reason: Settlement['reason'],
): Promise<MappedOutcomeStatus[]> {
  const statuses = await readOutcomeStatuses(deps.db, change.id);
  const open = statuses.filter((status) => isChosen(chosen, status) && !isSettled(status.state));
  return settleAndRead(
    deps.db,
    change,
    open.map((status) => untriedSettlement(status, state, reason)),
  );
}

/** False when the current password is that of the adapter only, which was compared with the stored credential. */
function provesCurrent(configuration: Configuration, { origin }: ChangeAtWork): boolean {
  const from = sourceNamed(configuration, origin?.source ?? '');
  return from?.adapter === undefined || from.capture?.verifyCurrent === true;
}

/** @returns the status of every account of the change, or null when they have to be read */
async function attemptUnlessHeld(
  deps: Dependencies,
  work: LoadedChange,
  source: SourceAtWork,
  chosen: Chosen,
): Promise<MappedOutcomeStatus[] | null> {
  const { change } = work;
  // The password stays sealed for a source that must not be asked. If it is up by now, its accounts are tried.
  const isHeld =
    (change.heldSources.includes(source.name) ||
      (await beginMaintenance(deps.db, source, change.now))) &&
    (await holdAccounts(deps.db, change.id, chosen, [], deps.random()));
  if (isHeld) return null;
  const limits = limitsOf(source.configuration);
  return limits === null
    ? attemptIn(deps, work, source, chosen)
    : attemptInTurn(deps, work, source, chosen, limits);
}

/** Makes the attempts that the limits of the source allow now. The other accounts wait for their turn. */
async function attemptInTurn(
  deps: Dependencies,
  work: LoadedChange,
  source: SourceAtWork,
  chosen: Chosen,
  limits: Limits,
): Promise<null> {
  const { db, random } = deps;
  const { id } = work.change;
  const visited: string[] = [];
  for (;;) {
    const turns = await takeTurns(db, id, chosen, limits, visited);
    const { labels, isFull } = turns;
    if (labels.length === 0) {
      if (isFull) await waitInLine(db, id, chosen, visited, random());
      return null;
    }
    try {
      await attemptIn(deps, work, source, { source: source.name, labels });
    } finally {
      await returnTurns(db, turns);
      await wakeNextInLine(db, source.name, limits);
    }
    if (!isFull) return null;
    visited.push(...labels);
  }
}

/** @returns the status of every account of the change, or null when they have to be read */
async function attemptIn(
  deps: Dependencies,
  { change, configuration, withPasswords }: LoadedChange,
  source: SourceAtWork,
  chosen: Chosen,
): Promise<MappedOutcomeStatus[] | null> {
  const connector = await deps.connector(source.name, source.configuration);
  const sourceIsUp = await findUnlinkedAccounts(deps, change, source, chosen, connector);
  if (!sourceIsUp) return null;
  return withPasswords(async (passwords) => {
    if (passwords === null) return null;
    const current = provesCurrent(configuration, change) ? passwords.current : null;
    const given = { ...passwords, current };
    const filterOf = ({ accountId }: ClaimedAccount) =>
      filterInChange(configuration, change, { id: accountId, source: source.name });
    return claimAndWrite(deps, change, source, chosen, connector, (account, use) =>
      withFilteredPasswords(filterOf(account), given, use),
    );
  });
}
