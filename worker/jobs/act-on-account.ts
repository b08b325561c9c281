import type { Dependencies } from '../../activities/dependencies';
import { recordSourceAnswer } from '../../activities/shared/record-source-answer';
import type { ActAnswer } from '../../connectors/contract';
import type { SourceConfiguration } from '../../model/configuration/document';
import type { Reason } from '../../model/errors';
import type { AccountAction, ActionResult } from '../../model/people/account-actions';
import { isNews, isNoted } from '../../model/people/links';
import { auditAction, type WantedAction } from '../../store/people/account-actions';
import { learnAccount, noteProblem } from '../../store/people/links';
import type { Job } from '../../store/sources/jobs';
import { readSourceStates } from '../../store/sources/state';
import { type ActedAccount, readActedAccount } from '../../store/worker/account-actions';
import { settleGuard } from '../../store/worker/login-guard';

/** What became of an action at one account. */
export interface ActionOutcome {
  readonly result: ActionResult;
  /** Why it failed; null otherwise. */
  readonly reason: Reason | null;
  readonly vendorCode: string | null;
}

const failed = (reason: Reason, vendorCode: string | null = null): ActionOutcome => ({
  result: 'failed',
  reason,
  vendorCode,
});

/**
 * Unlocks an account, or forces a change at the next login, for an agent of the help desk. It goes by the same identity
 * rules as a write, and a repeat after a crash is harmless. The result is audited, and then returned to the caller.
 */
export async function actOnAccount(
  deps: Dependencies,
  job: Job & { readonly kind: AccountAction },
  source: SourceConfiguration,
): Promise<ActionOutcome> {
  const wanted = { ...job.parameters, action: job.kind, source: job.source } as WantedAction;
  const outcome = await outcomeOf(deps, job, source, wanted);
  const { result, reason, vendorCode } = outcome;
  // A person who is unlocked may give the current password again.
  if (wanted.action === 'unlock' && result !== 'failed')
    await settleGuard(deps.db, wanted.accountId, 'holds');
  await auditAction(
    deps.db,
    wanted,
    job.requestedBy,
    result,
    result === 'failed' ? { reason, vendorCode } : null,
  );
  return outcome;
}

async function outcomeOf(
  deps: Dependencies,
  job: Job,
  source: SourceConfiguration,
  wanted: WantedAction,
): Promise<ActionOutcome> {
  const account = await readActedAccount(deps.db, job.id, wanted);
  if (account === null) return failed('no_account');
  if (!account.inTime) return failed('too_old');
  if (account.problem !== null && !isNoted(account.problem)) return failed(account.problem);
  const state = (await readSourceStates(deps.db)).get(job.source);
  if (state !== undefined && state.state !== 'up') return failed(state.reason);
  const connector = await deps.connector(job.source, source);
  if (connector.act === undefined) return failed('not_supported');
  const answer = await connector.act({ account, action: wanted.action });
  await note(deps, job, source, wanted.accountId, account, answer);
  return answer.result === 'failed'
    ? failed(answer.reason, answer.vendorCode)
    : { result: answer.result, reason: null, vendorCode: null };
}

/** Stores what the answer shows of the source, and of the link. */
async function note(
  deps: Dependencies,
  { source: name }: Job,
  source: SourceConfiguration,
  accountId: string,
  account: ActedAccount,
  answer: ActAnswer,
): Promise<void> {
  if (answer.result !== 'failed') {
    const { naming } = deps.accountRules(source);
    if (isNews(account, answer.account))
      await learnAccount(deps.db, accountId, answer.account, naming);
    return;
  }
  const { reason, vendorCode, retryAfterMs = null } = answer;
  if (isNoted(reason)) await noteProblem(deps.db, [accountId], reason);
  await recordSourceAnswer(deps, { source: name, reason, vendorCode, retryAfterMs, probe: null });
}
