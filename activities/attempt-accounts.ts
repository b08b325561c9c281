import type { Connector } from '../connectors/contract';
import { isSettled } from '../model/change/outcome';
import { sourceNamed } from '../model/configuration/document';
import { type Chosen, isChosen } from '../store/worker/chosen';
import { holdAccounts, readUnfound } from '../store/worker/claims';
import {
  type ChangeAtWork,
  type OutcomeStatus,
  readOutcomeStatuses,
  type Settlement,
  settleAccounts,
} from '../store/worker/outcomes';
import type { Aim } from './attempt';
import { correlate } from './correlate';
import type { Dependencies } from './dependencies';
import type { OpenWork } from './open-change';
import { withFilteredPasswords } from './password-filter';
import { withPasswords } from './unsealed';
import { untried } from './untried';
import { type SourceAtWork, writeAccounts } from './write-accounts';

/**
 * One attempt at each of the chosen accounts, each with its own outcome: what becomes of one changes nothing for another
 * (I5). Both lanes run this; what is settled already is left alone, so running it again does no harm.
 * @returns where every account of the change stands now
 */
export async function attemptAccounts(
  deps: Dependencies,
  { change, configuration }: OpenWork,
  chosen: Chosen,
  aim: Aim = 'write',
): Promise<OutcomeStatus[]> {
  const source = sourceNamed(configuration, chosen.source);
  if (!change.authorized) await leave(deps, change, chosen, 'cancelled', 'no_longer_authorized');
  else if (source === undefined)
    await leave(deps, change, chosen, 'not_applicable', 'source_removed');
  else
    await attemptUnlessHeld(
      deps,
      change,
      { name: chosen.source, configuration: source, aim },
      chosen,
    );
  return readOutcomeStatuses(deps.db, change.id);
}

async function leave(
  deps: Dependencies,
  change: ChangeAtWork,
  chosen: Chosen,
  state: 'cancelled' | 'not_applicable',
  reason: Settlement['reason'],
): Promise<void> {
  const statuses = await readOutcomeStatuses(deps.db, change.id);
  const open = statuses.filter((one) => isChosen(chosen, one) && !isSettled(one.state));
  await settleAccounts(
    deps.db,
    change,
    open.map((one) => untried(one, state, reason)),
  );
}

async function attemptUnlessHeld(
  deps: Dependencies,
  change: ChangeAtWork,
  source: SourceAtWork,
  chosen: Chosen,
): Promise<void> {
  const connector = await deps.connector(source.name, source.configuration);
  if (!(await findMissing(deps, change, source, chosen, connector))) return;
  await withPasswords(deps, change, async (passwords) => {
    if (passwords === null) return;
    await withFilteredPasswords(source.configuration.passwordFilter, passwords, (written) =>
      writeAccounts(deps, change, source, chosen, connector, written),
    );
  });
}

/** @returns false when the source is not to be asked now; then everything that was chosen waits */
async function findMissing(
  deps: Dependencies,
  change: ChangeAtWork,
  source: SourceAtWork,
  chosen: Chosen,
  connector: Connector,
): Promise<boolean> {
  if (source.configuration.correlate.length === 0) return true;
  const seen: string[] = [];
  for (;;) {
    const missing = await readUnfound(deps.db, change.id, chosen, seen);
    if (missing.some(({ held }) => held)) {
      if (await holdAccounts(deps.db, change.id, chosen, seen, deps.random())) return false;
      continue;
    }
    const answers = await Promise.all(
      missing.map((account) => correlate(deps, change, account, source, connector)),
    );
    const settled = answers.filter((answer) => answer !== null);
    if (settled.length > 0) await settleAccounts(deps.db, change, settled);
    if (missing.every(({ probe }) => probe === null)) return true;
    seen.push(...missing.map(({ label }) => label));
  }
}
