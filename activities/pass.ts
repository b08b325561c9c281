import type { Connector } from '../connectors/contract';
import { log } from '../log';
import { type SourceConfiguration, sourceNamed } from '../model/configuration';
import type { Reason } from '../model/errors';
import { type AttemptResult, isSettled } from '../model/outcome';
import { stateAfter, waitMs } from '../model/retry';
import { renameAccount } from '../store/identities';
import type { Passwords } from '../store/sealing';
import {
  type ChangeAtWork,
  type Chosen,
  CLAIM_AT_ONCE,
  type ClaimedAccount,
  claimAccounts,
  isChosen,
  readStandings,
  readUnfound,
  type Settlement,
  type Standing,
  settleAccounts,
} from '../store/work';
import { type Aim, type Attempt, attemptAccount } from './attempt';
import { correlate } from './correlate';
import type { Dependencies } from './dependencies';
import { withFilteredPasswords } from './filtered';
import { withPasswords } from './secrets';
import type { OpenWork } from './work';

/** How many accounts of one source are written at the same time. */
const AT_ONCE = 16;

interface SourceAtWork {
  readonly name: string;
  readonly configuration: SourceConfiguration;
  readonly aim: Aim;
}

/**
 * One attempt at each of the chosen accounts, each with its own outcome: what becomes of one changes nothing for another
 * (I5). Both lanes run this; what is settled already is left alone, so running it again does no harm.
 * @returns where every account of the change stands now
 */
export async function passOverAccounts(
  deps: Dependencies,
  { change, configuration }: OpenWork,
  chosen: Chosen,
  aim: Aim = 'write',
): Promise<Standing[]> {
  const source = sourceNamed(configuration, chosen.source);
  if (!change.authorized) await leave(deps, change, chosen, 'cancelled', 'no_longer_authorized');
  else if (source === undefined)
    await leave(deps, change, chosen, 'not_applicable', 'source_removed');
  else await passOver(deps, change, { name: chosen.source, configuration: source, aim }, chosen);
  return readStandings(deps.db, change.id);
}

async function leave(
  deps: Dependencies,
  change: ChangeAtWork,
  chosen: Chosen,
  state: 'cancelled' | 'not_applicable',
  reason: Settlement['reason'],
): Promise<void> {
  const standings = await readStandings(deps.db, change.id);
  const open = standings.filter((one) => isChosen(chosen, one) && !isSettled(one.state));
  await settleAccounts(
    deps.db,
    change,
    open.map(({ label, inDoubt, state: before }) => ({
      label,
      accountId: null,
      state,
      reason,
      vendorCode: null,
      proof: 'none',
      inDoubt: inDoubt || before === 'applying',
      nextTryInMs: null,
    })),
  );
}

async function passOver(
  deps: Dependencies,
  change: ChangeAtWork,
  source: SourceAtWork,
  chosen: Chosen,
): Promise<void> {
  const connector = await deps.connector(source.name, source.configuration);
  await findMissing(deps, change, source, chosen, connector);
  await withPasswords(deps, change, async (passwords) => {
    if (passwords === null) return;
    await withFilteredPasswords(source.configuration.passwordFilter, passwords, (written) =>
      writeAll(deps, change, source, chosen, connector, written),
    );
  });
}

async function findMissing(
  deps: Dependencies,
  change: ChangeAtWork,
  source: SourceAtWork,
  chosen: Chosen,
  connector: Connector,
): Promise<void> {
  if (source.configuration.correlate.length === 0) return;
  const missing = await readUnfound(deps.db, change.id, chosen);
  const answers = await Promise.all(
    missing.map(({ label }) => correlate(deps, change, label, source, connector)),
  );
  const settled = answers.filter((answer) => answer !== null);
  if (settled.length > 0) await settleAccounts(deps.db, change, settled);
}

async function writeAll(
  deps: Dependencies,
  change: ChangeAtWork,
  source: SourceAtWork,
  chosen: Chosen,
  connector: Connector,
  passwords: Passwords | null,
): Promise<void> {
  const seen: string[] = [];
  const write = writer(deps, source, connector, passwords);
  for (let more = true; more; ) {
    const claimed = await claimAccounts(deps.db, change, chosen, seen);
    if (claimed.length > 0)
      await settleAccounts(deps.db, change, await atMost(AT_ONCE, claimed, write));
    seen.push(...claimed.map(({ label }) => label));
    more = claimed.length === CLAIM_AT_ONCE;
  }
}

/** What is wrong with the source as a whole; asking it for the next account would only take time, or lock us out. */
const sourceTrouble: ReadonlySet<Reason> = new Set<Reason>([
  'unreachable',
  'busy',
  'throttled',
  'certificate_refused',
  'service_credential_refused',
]);

function writer(
  { db, random }: Dependencies,
  source: SourceAtWork,
  connector: Connector,
  passwords: Passwords | null,
): (account: ClaimedAccount) => Promise<Settlement> {
  let trouble: Reason | null = null;
  return async (account) => {
    if (account.verdict !== 'claimed') return withoutAttempt(account, random());
    if (passwords === null) return filteredAway(account);
    if (trouble !== null) return waitFor(account, trouble, null, random());
    const attempt: Attempt = {
      account,
      connector,
      passwords,
      prove: source.configuration.prove,
      aim: source.aim,
      onMoved: (name) => renameAccount(db, account.accountId, name),
    };
    const result = await attemptAccount(attempt).catch((error) => threw(attempt, error));
    if (result.reason !== null && sourceTrouble.has(result.reason)) trouble = result.reason;
    const { state, reason, vendorCode, proof, inDoubt, retryAfterMs } = result;
    if (state === 'waiting' && reason !== null)
      return { ...waitFor(account, reason, retryAfterMs, random()), vendorCode, inDoubt };
    const { label, accountId } = account;
    const told = result.found === true && account.origin ? 'origin' : reason;
    return { label, accountId, state, reason: told, vendorCode, proof, inDoubt, nextTryInMs: null };
  };
}

/** What the filter of the source leaves is shorter than it asks for; the source itself is not asked. */
const filteredAway = ({ label, accountId, inDoubt }: ClaimedAccount): Settlement => ({
  label,
  accountId,
  state: 'rejected',
  reason: 'policy_too_short',
  vendorCode: null,
  proof: 'none',
  inDoubt,
  nextTryInMs: null,
});

/** A connector that throws is wrong itself; nobody knows how far it came. */
function threw({ account }: Attempt, error: unknown): AttemptResult {
  log.error('a connector threw', { source: account.source, account: account.label, error });
  const state = stateAfter('unknown', account.attempts);
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
  { label, accountId, attempts, inDoubt }: ClaimedAccount,
  reason: Reason,
  asked: number | null,
  jitter: number,
): Settlement => ({
  label,
  accountId,
  state: 'waiting',
  reason,
  vendorCode: null,
  proof: 'none',
  inDoubt,
  nextTryInMs: waitMs(reason, attempts, asked, jitter),
});

function withoutAttempt(account: ClaimedAccount, jitter: number): Settlement {
  const { label, accountId, inDoubt } = account;
  const untouched = { label, accountId, inDoubt, vendorCode: null, proof: 'none' } as const;
  switch (account.verdict) {
    case 'superseded':
      return { ...untouched, state: 'superseded', reason: null, nextTryInMs: null };
    case 'unlinked':
      return { ...untouched, state: 'not_applicable', reason: 'unlinked', nextTryInMs: null };
    default:
      return waitFor(account, 'account_in_use', null, jitter);
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
