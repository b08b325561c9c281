import type { Connector } from '../../connectors/contract';
import type { Passwords } from '../../sealing/passwords';
import type { Chosen } from '../../store/worker/chosen';
import {
  CLAIM_AT_ONCE,
  type ClaimedAccount,
  claimAccounts,
  holdAccounts,
  WRITE_WITHIN_MS,
} from '../../store/worker/claims';
import {
  type ChangeAtWork,
  type OutcomeStatus,
  type Settlement,
  settleAccounts,
  settleAndRead,
} from '../../store/worker/outcomes';
import type { Dependencies } from '../dependencies';
import type { FilterRefusal } from '../shared/filter-passwords';
import { claimedAccountWriter, type SourceAtWork } from './write-claimed-account';

/** Number of accounts of one source that one step writes at the same time. */
const WRITES_AT_ONCE = 16;

/**
 * Claims the chosen accounts of one source in batches, writes each claimed account (`writeClaimedAccount`) and stores
 * the settlements. When the source is down or paused, the accounts are set to wait instead. Called by
 * `attemptAccounts`.
 * @param passwords what the source gets, or why it gets nothing
 * @returns the status of every account of the change; null when no account was left to claim, or all wait
 */
export async function claimAndWrite(
  deps: Dependencies,
  change: ChangeAtWork,
  source: SourceAtWork,
  chosen: Chosen,
  connector: Connector,
  passwords: Passwords | FilterRefusal,
): Promise<OutcomeStatus[] | null> {
  const visited: string[] = [];
  for (;;) {
    const writeUntil = performance.now() + WRITE_WITHIN_MS;
    const claimed = await claimAccounts(deps.db, change, chosen, visited);
    if (claimed.some(({ held }) => held)) {
      if (await holdAccounts(deps.db, change.id, chosen, visited, deps.random())) return null;
      continue;
    }
    const claimIsFresh = () => performance.now() < writeUntil;
    const write = claimedAccountWriter(deps, source, connector, passwords, claimIsFresh);
    if (claimed.length === 0) return null;
    const settled = await mapAtMost(WRITES_AT_ONCE, claimed, async (account) => ({
      ...(await write(account)),
      ...claimOf(account),
    }));
    // A probe claims one account only; the accounts that waited for its answer come next.
    const more = claimed.length === CLAIM_AT_ONCE || claimed.some(({ probe }) => probe !== null);
    if (!more) return settleAndRead(deps.db, change, settled);
    await settleAccounts(deps.db, change, settled);
    visited.push(...claimed.map(({ label }) => label));
  }
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
