import type { Connector } from '../connectors/contract';
import { log } from '../log';
import type { AttemptResult } from '../model/change/outcome';
import { stateAfter, waitMs } from '../model/change/retry';
import { isSourceTrouble, type SourceTrouble } from '../model/change/source-circuit';
import type { SourceConfiguration } from '../model/configuration/document';
import type { Reason } from '../model/errors';
import type { Passwords } from '../sealing/passwords';
import { renameAccount } from '../store/people/identities';
import { returnProbe } from '../store/sources/state';
import type { Chosen } from '../store/worker/chosen';
import {
  CLAIM_AT_ONCE,
  type ClaimedAccount,
  claimAccounts,
  holdAccounts,
  WRITE_WITHIN_MS,
} from '../store/worker/claims';
import { type ChangeAtWork, type Settlement, settleAccounts } from '../store/worker/outcomes';
import { type Aim, type Attempt, attemptAccount } from './attempt';
import { noteAnswer } from './circuit';
import type { Dependencies } from './dependencies';
import type { Nothing } from './password-filter';
import { untried } from './untried';

export interface SourceAtWork {
  readonly name: string;
  readonly configuration: SourceConfiguration;
  readonly aim: Aim;
}

/** How many accounts of one source are written at the same time. */
const AT_ONCE = 16;

/** Claims and writes the chosen accounts, as long as their source may be asked; else they are put to wait. */
export async function writeAccounts(
  deps: Dependencies,
  change: ChangeAtWork,
  source: SourceAtWork,
  chosen: Chosen,
  connector: Connector,
  passwords: Passwords | Nothing,
): Promise<void> {
  const seen: string[] = [];
  for (let more = true; more; ) {
    const end = performance.now() + WRITE_WITHIN_MS;
    const claimed = await claimAccounts(deps.db, change, chosen, seen);
    if (claimed.some(({ held }) => held)) {
      if (await holdAccounts(deps.db, change.id, chosen, seen, deps.random())) return;
      continue;
    }
    const mayWrite = () => performance.now() < end;
    const write = writer(deps, source, connector, passwords, mayWrite);
    if (claimed.length > 0)
      await settleAccounts(
        deps.db,
        change,
        await atMost(AT_ONCE, claimed, async (account) => ({
          ...(await write(account)),
          ...claimOf(account),
        })),
      );
    seen.push(...claimed.map(({ label }) => label));
    // After a probe come those who waited for it.
    more = claimed.length === CLAIM_AT_ONCE || claimed.some(({ probe }) => probe !== null);
  }
}

const claimOf = ({ verdict, attempts, leasedBefore }: ClaimedAccount): Pick<Settlement, 'claim'> =>
  verdict === 'claimed' ? { claim: { attempts, leasedBefore } } : {};

function writer(
  deps: Dependencies,
  source: SourceAtWork,
  connector: Connector,
  passwords: Passwords | Nothing,
  mayWrite: () => boolean,
): (account: ClaimedAccount) => Promise<Settlement> {
  const { db, random } = deps;
  /** Asking for the next account would only take time, or lock us out. */
  let trouble: { readonly reason: SourceTrouble; readonly waitMs: number } | null = null;
  return async (account) => {
    if (account.verdict !== 'claimed') {
      if (account.probe !== null) await returnProbe(db, source.name);
      return withoutAttempt(account, random());
    }
    if (typeof passwords === 'string') {
      if (account.probe !== null) await returnProbe(db, source.name);
      return untried(account, 'rejected', passwords);
    }
    if (trouble !== null) return waitFor(account, trouble.reason, trouble.waitMs);
    const attempt: Attempt = {
      account,
      connector,
      passwords,
      prove: source.configuration.prove,
      aim: source.aim,
      mayWrite,
      onMoved: (name) => renameAccount(db, account.accountId, name),
    };
    const result = await attemptAccount(attempt).catch((error) => threw(attempt, error));
    const { label, probe } = account;
    const { state, reason, vendorCode, proof, inDoubt, retryAfterMs } = result;
    if (reason === 'others_first') {
      // Nobody may have been asked.
      if (probe !== null) await returnProbe(db, source.name);
      return waitFor(account, reason, waitMs(reason, account.attempts, null, random()));
    }
    const pause = await noteAnswer(deps, { ...result, source: source.name, probe });
    if (pause !== null && isSourceTrouble(reason)) trouble = { reason, waitMs: pause };
    if (state !== 'waiting' || reason === null) {
      const told = result.found === true && account.origin ? 'origin' : reason;
      return { label, state, reason: told, vendorCode, proof, inDoubt, nextTryInMs: null };
    }
    const wait = pause ?? waitMs(reason, account.attempts, retryAfterMs, random());
    return { ...waitFor(account, reason, wait), vendorCode, inDoubt };
  };
}

/** A connector that throws is wrong itself; nobody knows how far it came. */
function threw({ account }: Attempt, error: unknown): AttemptResult {
  log.error('a connector threw', { source: account.source, account: account.label, error });
  const state = stateAfter('unknown', account.unknowns);
  return {
    state,
    reason: 'unknown',
    vendorCode: null,
    proof: 'none',
    inDoubt: true,
    retryAfterMs: null,
  };
}

const waitFor = (
  { label, inDoubt }: ClaimedAccount,
  reason: Reason,
  nextTryInMs: number,
): Settlement => ({
  label,
  state: 'waiting',
  reason,
  vendorCode: null,
  proof: 'none',
  inDoubt,
  nextTryInMs,
});

function withoutAttempt(account: ClaimedAccount, jitter: number): Settlement {
  switch (account.verdict) {
    case 'superseded':
      return untried(account, 'superseded', null);
    case 'unlinked':
      return untried(account, 'not_applicable', 'unlinked');
    default:
      // No attempt at it: the step of the older change ends soon, however often this one has tried.
      return waitFor(account, 'account_in_use', waitMs('account_in_use', 1, null, jitter));
  }
}

/** Runs `work` over all items, at most `limit` at the same time; results in the order of the items. */
async function atMost<Item, Result>(
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
