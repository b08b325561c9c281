import type { Connector, VerifyAnswer, WriteAnswer } from '../connectors/contract';
import type { AttemptResult, Proof } from '../model/change/outcome';
import { stateAfter } from '../model/change/retry';
import type { ProveMode } from '../model/configuration/group';
import type { Reason } from '../model/errors';
import { saltFor } from '../model/hashes/salt';
import type { Passwords } from '../sealing/passwords';
import type { ClaimedAccount } from '../store/worker/claims';

/** `validate`: whether the account may be changed is seen, but it is not changed yet. */
export type Aim = 'validate' | 'write';

/** One attempt to make the new password the password of one claimed account. */
export interface Attempt {
  readonly account: ClaimedAccount;
  readonly connector: Connector;
  readonly passwords: Passwords;
  readonly prove: ProveMode;
  readonly aim: Aim;
  /** False when the claim is too old: this process was frozen, and a newer change may have the account by now. */
  readonly mayWrite: () => boolean;
  /** The source calls the account by another name now. */
  readonly onMoved: (name: string) => Promise<void>;
}

/**
 * Looks first when in doubt, validates the current password where one was given, writes, and proves.
 *
 * A write whose answer was lost is never repeated blindly: a history rule would refuse the repeat of what has
 * already succeeded. Each doubt costs one login at most, so that we lock nobody out (I11).
 */
export async function attemptAccount(attempt: Attempt): Promise<AttemptResult> {
  const { account, connector, passwords } = attempt;
  if (account.inDoubt) {
    const seen = await look(attempt);
    if (seen.result === 'holds') return { ...applied(seen.proof), found: true };
    if (seen.result === 'inconclusive' && !isImpossible(seen)) return inconclusive(attempt, seen);
    // The source had said yes; then looking again is all that can be done.
    if (seen.result === 'differs' && account.lastReason === 'not_proved')
      return parked('not_proved', seen.vendorCode);
  }
  if (account.role === 'auth' && passwords.current !== null) {
    const refusal = await validateCurrent(attempt, passwords.current);
    if (refusal !== null) return refusal;
  }
  if (attempt.aim === 'validate') return waiting('others_first', null);
  if (!attempt.mayWrite()) return { ...waiting('account_in_use', null), inDoubt: account.inDoubt };
  const { next: password, form, seed } = passwords;
  const salt = saltFor(seed, account.accountId);
  const answer = await connector.setPassword({ account, password, form, salt });
  return afterWrite(attempt, answer);
}

async function afterWrite(attempt: Attempt, answer: WriteAnswer): Promise<AttemptResult> {
  const { account } = attempt;
  switch (answer.result) {
    case 'applied':
    case 'already_current':
      if (answer.movedTo !== undefined) await attempt.onMoved(answer.movedTo);
      return proveIt(attempt);
    case 'ambiguous':
      return { ...waiting('in_doubt', answer.vendorCode), inDoubt: true };
    case 'rejected': {
      // The doubtful write may have landed after we looked; then the refusal is only of the repeat.
      const seen = account.inDoubt ? await look(attempt) : null;
      if (seen?.result === 'holds') return applied(seen.proof);
      if (seen !== null && isImpossible(seen) && answer.reason.startsWith('policy'))
        return parked(answer.reason, answer.vendorCode);
      return after(attempt, answer.reason, answer.vendorCode, null);
    }
    case 'retry':
      return after(attempt, answer.reason, answer.vendorCode, answer.retryAfterMs ?? null);
  }
}

async function proveIt(attempt: Attempt): Promise<AttemptResult> {
  const { account, prove } = attempt;
  if (prove === 'never' || (prove === 'in-doubt' && !account.inDoubt)) return applied('none');
  const seen = await look(attempt);
  switch (seen.result) {
    case 'holds':
      return applied(seen.proof);
    case 'inconclusive':
      if (isImpossible(seen)) return { ...applied('none'), vendorCode: seen.vendorCode };
      // The write was answered with yes; that it cannot be proved now, say because the account is disabled, is told beside it.
      return { ...applied('none'), reason: seen.reason, vendorCode: seen.vendorCode };
    case 'differs':
      return { ...after(attempt, 'not_proved', seen.vendorCode, null), inDoubt: true };
  }
}

const look = ({ connector, account, passwords: { next, form } }: Attempt): Promise<VerifyAnswer> =>
  connector.verify({ account, password: next, form });

type Inconclusive = Extract<VerifyAnswer, { result: 'inconclusive' }>;

/**
 * There is no way to find out, now or later: nobody logs in with a hash, for one. In doubt, all that is left is to write
 * the same value again.
 */
const isImpossible = (seen: VerifyAnswer): boolean =>
  seen.result === 'inconclusive' && seen.reason === 'not_supported';

/** @returns null when the current password is right */
async function validateCurrent(
  attempt: Attempt,
  current: Passwords['next'],
): Promise<AttemptResult | null> {
  const { connector, account } = attempt;
  const seen = await connector.verify({ account, password: current, form: 'plaintext' });
  switch (seen.result) {
    case 'holds':
      return null;
    case 'differs':
      return after(attempt, 'wrong_current_password', seen.vendorCode, null);
    case 'inconclusive':
      return after(attempt, seen.reason, seen.vendorCode, null);
  }
}

/** Still in doubt, unless what we learned settles it. */
function inconclusive(attempt: Attempt, seen: Inconclusive): AttemptResult {
  return { ...after(attempt, seen.reason, seen.vendorCode, null), inDoubt: true };
}

const applied = (proof: Proof): AttemptResult => ({
  state: 'applied',
  reason: null,
  vendorCode: null,
  proof,
  inDoubt: false,
  retryAfterMs: null,
});

const unproved = { proof: 'none', inDoubt: false, retryAfterMs: null } as const;

const waiting = (reason: Reason, vendorCode: string | null): AttemptResult => ({
  ...unproved,
  state: 'waiting',
  reason,
  vendorCode,
});

/** Still in doubt: whoever retries it looks again. */
const parked = (reason: Reason, vendorCode: string | null): AttemptResult => ({
  ...unproved,
  state: 'parked',
  reason,
  vendorCode,
  inDoubt: true,
});

const after = (
  { account }: Attempt,
  reason: Reason,
  vendorCode: string | null,
  retryAfterMs: number | null,
): AttemptResult => ({
  ...unproved,
  state: stateAfter(reason, account.unknowns),
  reason,
  vendorCode,
  retryAfterMs,
});
