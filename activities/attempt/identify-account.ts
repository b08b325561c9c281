import type { Connector } from '../../connectors/contract';
import type { AttemptResult } from '../../model/change/outcome';
import { stateAfter } from '../../model/change/retry';
import { errors, type Reason } from '../../model/errors';
import type { AccountRules } from '../../model/people/naming';
import type { Database } from '../../store/database';
import { learnAccount } from '../../store/people/links';
import type { ClaimedAccount } from '../../store/worker/claims';

/** Why a claimed account is never written, whatever its source answers; null if it may be written. */
export function refusalOf(
  { name, problem }: ClaimedAccount,
  { isServiceAccount }: AccountRules,
): 'service_account' | 'linked_twice' | null {
  if (isServiceAccount(name)) return 'service_account';
  return problem === 'linked_twice' ? problem : null;
}

/**
 * Makes sure that Lockstep knows the id of an account before it first writes it. An account that an operator has linked
 * by its name is read once: another link may already name the same account under its name of before, and a later rename
 * shows only by the id. Called by `writeClaimedAccount`.
 * @returns the account with its id, or the result of the attempt if it must not be written
 */
export async function identifyAccount(
  db: Database,
  connector: Connector,
  rules: AccountRules,
  account: ClaimedAccount,
): Promise<{ readonly account: ClaimedAccount } | { readonly result: AttemptResult }> {
  if (account.idLearnt) return { account };
  const answer = await connector.state({ account });
  if (answer.result === 'failed') {
    const { retry } = errors[answer.reason];
    // The write meets the other failures, too, or the service account may not read the account.
    return retry === 'offline' || retry === 'unknown'
      ? {
          result: unwritten(account, answer.reason, answer.vendorCode, answer.retryAfterMs ?? null),
        }
      : { account };
  }
  const shown = { ...account, ...answer.account, idLearnt: true };
  const refusal =
    refusalOf(shown, rules) ??
    ((await learnAccount(db, account.accountId, answer.account, rules.naming)) === 'linked_twice'
      ? 'linked_twice'
      : null);
  return refusal === null
    ? { account: shown }
    : { result: unwritten(account, refusal, null, null) };
}

const unwritten = (
  { unknowns, inDoubt }: ClaimedAccount,
  reason: Reason,
  vendorCode: string | null,
  retryAfterMs: number | null,
): AttemptResult => ({
  state: stateAfter(reason, unknowns),
  reason,
  vendorCode,
  proof: 'none',
  inDoubt,
  retryAfterMs,
});
