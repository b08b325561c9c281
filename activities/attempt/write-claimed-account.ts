import { ApplicationFailure } from '@temporalio/common';
import type { Connector } from '../../connectors/contract';
import { log } from '../../log';
import { KEY_STORE_UNAVAILABLE } from '../../model/change/mapping';
import type { AttemptResult } from '../../model/change/outcome';
import { stateAfter, waitMs } from '../../model/change/retry';
import { isSourceTrouble, type SourceTrouble } from '../../model/change/source-circuit';
import type { SourceConfiguration } from '../../model/configuration/document';
import type { Reason } from '../../model/errors';
import { isNews, isNoted } from '../../model/people/links';
import type { AccountRules } from '../../model/people/naming';
import type { Passwords } from '../../sealing/passwords';
import { endProblem, learnAccount, noteProblem } from '../../store/people/links';
import { returnProbe } from '../../store/sources/state';
import type { ClaimedAccount } from '../../store/worker/claims';
import { KeyStoreUnavailable } from '../../store/worker/keys/key-store';
import { guardOf } from '../../store/worker/login-guard';
import type { ChangeAtWork, Settlement } from '../../store/worker/outcomes';
import type { Dependencies } from '../dependencies';
import type { FilterRefusal } from '../shared/filter-passwords';
import { recordSourceAnswer } from '../shared/record-source-answer';
import { withHeldPassword } from '../shared/stored-credentials';
import { untriedSettlement } from '../shared/untried-settlement';
import type { Aim } from './aim';
import { identifyAccount, refusalOf } from './identify-account';
import { tracedAttempt, tracedConnector } from './trace-attempt';
import { writeAndVerify } from './write-and-verify';

export interface SourceAtWork {
  readonly name: string;
  readonly configuration: SourceConfiguration;
  readonly rules: AccountRules;
  readonly aim: Aim;
}

type WriteClaimedAccount = (account: ClaimedAccount) => Promise<Settlement>;

/** Lends the passwords of a change as the filter of an account rewrites them, or the reason why it gets nothing. */
export type LendToAccount = <T>(
  account: ClaimedAccount,
  use: (passwords: Passwords | FilterRefusal) => Promise<T>,
) => Promise<T>;

/**
 * Makes the function that `claimAndWrite` calls for each account of one batch. It decides whether the account is tried
 * at all, lets `writeAndVerify` try it, records what the answer means for the source as a whole, and returns the
 * settlement of the account.
 * @param claimIsFresh false once the lease may be too short for another write
 */
export function claimedAccountWriter(
  deps: Dependencies,
  change: Pick<ChangeAtWork, 'id' | 'seq'>,
  source: SourceAtWork,
  connector: Connector,
  lend: LendToAccount,
  claimIsFresh: () => boolean,
): WriteClaimedAccount {
  const { db, random } = deps;
  const { rules } = source;
  const { adapter } = source.configuration;
  /** Set once an answer shows that the source as a whole is in trouble: the rest of the batch then waits untried. */
  let trouble: { readonly reason: SourceTrouble; readonly waitMs: number } | null = null;
  async function attemptAt(claimed: ClaimedAccount, given: Passwords): Promise<AttemptResult> {
    let sent = false;
    const calls = tracedConnector(connector, source.configuration.kind);
    const watched: Connector = {
      ...calls,
      setPassword(request) {
        sent = true;
        return calls.setPassword(request);
      },
    };
    return tracedAttempt(claimed, () =>
      attemptWith(watched, claimed, given).catch((error) => thrown(claimed, error, sent)),
    );
  }
  async function attemptWith(
    watched: Connector,
    claimed: ClaimedAccount,
    given: Passwords,
  ): Promise<AttemptResult> {
    const identified = await identifyAccount(db, watched, rules, claimed);
    if ('result' in identified) return identified.result;
    const { account } = identified;
    return writeAndVerify({
      account,
      connector: watched,
      passwords: given,
      of: {
        changeId: change.id,
        label: account.label,
        accountId: account.accountId,
        seq: change.seq,
      },
      prove: source.configuration.prove,
      aim: source.aim,
      claimIsFresh,
      async onRead(shown) {
        if (isNews(account, shown)) await learnAccount(db, account.accountId, shown, rules.naming);
      },
      ...(adapter?.sendOldPassword && {
        withOldPassword: (use) =>
          withHeldPassword(deps, account.accountId, adapter.applications, use),
      }),
      guard: guardOf(db, account.accountId),
    });
  }
  return async function writeClaimedAccount(account) {
    if (account.verdict !== 'claimed') {
      if (account.probe !== null) await returnProbe(db, source.name);
      return unclaimedSettlement(account, random());
    }
    const refusal = refusalOf(account, rules);
    if (refusal !== null) {
      if (account.probe !== null) await returnProbe(db, source.name);
      return untriedSettlement(account, 'rejected', refusal);
    }
    if (trouble !== null) return waitFor(account, trouble.reason, trouble.waitMs);
    const result = await lend(account, async (given) =>
      typeof given === 'string' ? given : attemptAt(account, given),
    );
    if (typeof result === 'string') {
      if (account.probe !== null) await returnProbe(db, source.name);
      return untriedSettlement(account, 'rejected', result);
    }
    const { label, probe } = account;
    if (isNoted(result.reason)) await noteProblem(db, [account.accountId], result.reason);
    else if (result.state === 'applied' && account.problem !== null)
      await endProblem(db, account.accountId);
    const { state, reason, vendorCode, proof, inDoubt, retryAfterMs } = result;
    if (reason === 'others_first') {
      // The connector may not have been called, so this is no answer to the probe.
      if (probe !== null) await returnProbe(db, source.name);
      return waitFor(account, reason, waitMs(reason, account.attempts, null, random()));
    }
    const pauseMs = await recordSourceAnswer(deps, { ...result, source: source.name, probe });
    if (pauseMs !== null && isSourceTrouble(reason)) trouble = { reason, waitMs: pauseMs };
    if (state !== 'waiting' || reason === null) {
      return {
        label,
        state,
        reason: recordedReason(account, result),
        vendorCode,
        proof,
        inDoubt,
        nextTryInMs: null,
      };
    }
    const wait = pauseMs ?? waitMs(reason, account.attempts, retryAfterMs, random());
    return { ...waitFor(account, reason, wait), vendorCode, inDoubt };
  };
}

/** What is stored as the reason of an account that does not wait. */
function recordedReason(account: ClaimedAccount, result: AttemptResult): Settlement['reason'] {
  const { found, unwritten, signInPrevented, reason, state } = result;
  if (found === true && account.origin) return 'origin';
  if (signInPrevented !== undefined) return signInPrevented;
  return reason ?? (state === 'applied' && unwritten === true ? 'already_held' : null);
}

/**
 * The result of an attempt that threw. Once the write was handed to the connector, nothing shows how far it came, so the
 * account is in doubt. Before that, nothing was written.
 */
function thrown(account: ClaimedAccount, error: unknown, sent: boolean): AttemptResult {
  log.error(
    sent
      ? 'a connector threw instead of answering; report the error to its author'
      : 'an attempt failed inside Lockstep before it wrote anything',
    { source: account.source, account: account.label, error },
  );
  const reason = sent ? 'unknown' : reasonOf(error);
  return {
    state: stateAfter(reason, account.unknowns),
    reason,
    vendorCode: null,
    proof: 'none',
    inDoubt: sent || account.inDoubt,
    retryAfterMs: null,
  };
}

/** Why an attempt failed inside Lockstep. Without its key the old password of an account cannot be opened. */
const reasonOf = (error: unknown): Reason =>
  error instanceof KeyStoreUnavailable ||
  (error instanceof ApplicationFailure && error.type === KEY_STORE_UNAVAILABLE)
    ? 'key_store_unavailable'
    : 'lockstep_failed';

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

/** Fallback wait of an account behind a newer change. */
const BEHIND_LOOK_MS = 60_000;

function unclaimedSettlement(account: ClaimedAccount, jitter: number): Settlement {
  switch (account.verdict) {
    case 'superseded':
      return untriedSettlement(account, 'superseded', null);
    case 'unlinked':
      return untriedSettlement(account, 'not_applicable', 'unlinked');
    case 'behind':
      // The newer change wakes this account when it is settled; the wait is for a wake-up that was lost.
      return waitFor(account, 'account_in_use', BEHIND_LOOK_MS * (1 + jitter));
    default:
      // The step of the older change ends soon, so the wait is that of a first attempt, whatever the number of
      // attempts.
      return waitFor(account, 'account_in_use', waitMs('account_in_use', 1, null, jitter));
  }
}
