import type { Connector } from '../../connectors/contract';
import type { Chosen } from '../../store/worker/chosen';
import { type ClaimedAccount, claimAccounts, holdAccounts } from '../../store/worker/claims';
import {
  type ChangeAtWork,
  type MappedOutcomeStatus,
  type Settlement,
  settleAccounts,
  settleAndRead,
} from '../../store/worker/outcomes';
import type { Dependencies } from '../dependencies';
import { claimInBatches } from './claim-in-batches';
import {
  claimedAccountWriter,
  type LendToAccount,
  type SourceAtWork,
} from './write-claimed-account';

/** Number of accounts of one source that one step writes at the same time. */
const WRITES_AT_ONCE = 16;

/**
 * Claims the chosen accounts of one source in batches (`claimInBatches`), writes each claimed account
 * (`writeClaimedAccount`) and stores the settlements of a batch while the next one is written. When the source is down
 * or paused, the accounts are set to wait instead. Called by `attemptAccounts`.
 * @param lend lends what an account gets, or the reason why it gets nothing
 * @returns the status of every account of the change; null when no account was left to claim, or all wait
 */
export async function claimAndWrite(
  deps: Dependencies,
  change: ChangeAtWork,
  source: SourceAtWork,
  chosen: Chosen,
  connector: Connector,
  lend: LendToAccount,
): Promise<MappedOutcomeStatus[] | null> {
  const batches = claimInBatches({
    claim: (after, most) => claimAccounts(deps.db, change, chosen, after, most),
    hold: (visited) => holdAccounts(deps.db, change.id, chosen, visited, deps.random()),
  });
  const settling: Promise<void>[] = [];
  for await (const { accounts, claimIsFresh, isLast } of batches) {
    const write = claimedAccountWriter(deps, change, source, connector, lend, claimIsFresh);
    const settled = await mapAtMost(WRITES_AT_ONCE, accounts, async (account) => ({
      ...(await write(account)),
      ...claimOf(account),
    }));
    if (!isLast) {
      settling.push(inBackground(settleAccounts(deps.db, change, settled)));
      continue;
    }
    await Promise.all(settling);
    return settled.length === 0 ? null : settleAndRead(deps.db, change, settled);
  }
  await Promise.all(settling);
  return null;
}

/** A step that is awaited later, where its error is thrown. */
function inBackground<Result>(step: Promise<Result>): Promise<Result> {
  step.catch(() => {});
  return step;
}

const claimOf = ({
  verdict,
  attempts,
  leasedBefore,
  leasedUntil,
}: ClaimedAccount): Pick<Settlement, 'claim'> =>
  verdict === 'claimed' ? { claim: { attempts, leasedBefore, leasedUntil } } : {};

/** Runs `work` over all items, at most `limit` at the same time; results in the order of the items. */
async function mapAtMost<Item, Result>(
  limit: number,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  const queue = items.entries();
  const runner = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, runner));
  return results;
}
