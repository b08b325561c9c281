import type { AccountRef, Connector, VerifyAnswer, WriteAnswer } from '../../connectors/contract';
import type { WriteOf } from '../../connectors/mailbox';
import { CLOCKS_AGREE_MS } from '../../model/captures/capture';
import type { AttemptResult, Proof } from '../../model/change/outcome';
import { stateAfter } from '../../model/change/retry';
import { isSignInObstacle, obstacleIn } from '../../model/change/sign-in-prevented';
import { SOURCE_CLOCKS_MS } from '../../model/change/stale';
import type { ProveMode } from '../../model/configuration/group';
import type { Reason } from '../../model/errors';
import { saltFor } from '../../model/hashes/salt';
import { normalized } from '../../model/passwords/normalize';
import type { Secret } from '../../model/passwords/secret';
import type { Passwords } from '../../sealing/passwords';
import type { ClaimedAccount } from '../../store/worker/claims';
import type { LoginGuard } from '../../store/worker/login-guard';
import type { Aim } from './aim';

/** One attempt to make the new password the password of one claimed account. */
export interface Attempt {
  readonly account: ClaimedAccount;
  readonly connector: Connector;
  readonly passwords: Passwords;
  readonly of: WriteOf;
  readonly prove: ProveMode;
  readonly aim: Aim;
  /**
   * False once the claim is too old to begin a write: this process was frozen, and a newer change may hold the claim.
   */
  readonly claimIsFresh: () => boolean;
  /** Called after a successful write with the account as the source names it now, if the connector has read it. */
  readonly onRead: (account: AccountRef) => Promise<void>;
  /** Lends the stored password of the account, for a source that needs it with the new one; null when none is stored. */
  readonly withOldPassword?: <T>(use: (old: Secret | null) => Promise<T>) => Promise<T>;
  /** Limits the logins with a password that a request brought. */
  readonly guard: LoginGuard;
}

/**
 * The calls to the connector for one account, in this order: verify the new password when an earlier write is in doubt,
 * check before a later attempt that the source has no newer password, verify the current password when one was given,
 * write, verify what was written. Called by `writeClaimedAccount`.
 *
 * A write whose answer was lost is never repeated blindly, because a history rule would refuse the repeat of a write
 * that succeeded. Each doubt costs at most one login, so that no account is locked out by Lockstep (I11).
 */
export async function writeAndVerify(attempt: Attempt): Promise<AttemptResult> {
  const { account, connector, passwords, of } = attempt;
  if (account.inDoubt) {
    const found = await verifyHeld(attempt);
    if (found.result === 'holds') {
      const unwritten = account.attempts === 1 ? ({ unwritten: true } as const) : {};
      return { ...(await appliedAs(attempt, found)), found: true, ...unwritten };
    }
    if (found.result === 'inconclusive' && !isImpossible(found))
      return stillInDoubt(attempt, found);
    // The source reported success before, so another write cannot help: an operator has to look.
    if (found.result === 'differs' && account.lastReason === 'not_proved')
      return parked('not_proved', found.vendorCode);
    if (found.result === 'differs' && (await hasNewerPassword(attempt, CLOCKS_AGREE_MS)))
      return superseded;
  } else {
    // The clock of the source may be ahead, so a password that was set shortly before could seem to be newer.
    const toleranceMs = account.touchedBefore ? SOURCE_CLOCKS_MS : CLOCKS_AGREE_MS;
    if (await hasNewerPassword(attempt, toleranceMs)) return superseded;
  }
  if (account.role === 'auth' && passwords.current !== null) {
    const refusal = await verifyCurrent(attempt, passwords.current);
    if (refusal !== null) return refusal;
  }
  if (attempt.aim === 'validate') return waiting('others_first', null);
  if (!attempt.claimIsFresh())
    return { ...waiting('account_in_use', null), inDoubt: account.inDoubt };
  const { next: password, form, seed } = passwords;
  const lendOld = attempt.withOldPassword ?? ((use) => use(null));
  const answer = await lendOld((oldPassword) =>
    connector.setPassword({
      account,
      password,
      form,
      of,
      ...(oldPassword && { oldPassword }),
      // Most sources hash passwords themselves, so the salt is derived only when the connector reads it.
      get salt() {
        return saltFor(seed, account.accountId);
      },
    }),
  );
  return afterWrite(attempt, answer);
}

async function afterWrite(attempt: Attempt, answer: WriteAnswer): Promise<AttemptResult> {
  const { account } = attempt;
  switch (answer.result) {
    case 'applied':
    case 'already_current':
      if (answer.account !== undefined) await attempt.onRead(answer.account);
      return {
        ...(await verifyWritten(attempt, answer)),
        ...(answer.result === 'already_current' &&
          !account.inDoubt && { unwritten: true as const }),
      };
    case 'ambiguous':
      return { ...waiting(answer.reason ?? 'in_doubt', answer.vendorCode), inDoubt: true };
    case 'rejected': {
      if (answer.doubt !== undefined) {
        const inDoubt = answer.doubt === 'stays';
        return { ...failed(attempt, answer.reason, answer.vendorCode, null), inDoubt };
      }
      // The doubtful write may have landed after the check; then the source refuses only the repeat.
      const found = account.inDoubt ? await verifyNew(attempt) : null;
      if (found?.result === 'holds') return appliedAs(attempt, found);
      if (found !== null && isImpossible(found) && answer.reason.startsWith('policy'))
        return parked(answer.reason, answer.vendorCode);
      return failed(attempt, answer.reason, answer.vendorCode, null);
    }
    case 'retry':
      return failed(attempt, answer.reason, answer.vendorCode, answer.retryAfterMs ?? null);
  }
}

type Written = Extract<WriteAnswer, { result: 'applied' | 'already_current' }>;

async function verifyWritten(attempt: Attempt, answer: Written): Promise<AttemptResult> {
  const { account, prove } = attempt;
  if (prove === 'never' || (prove === 'in-doubt' && !account.inDoubt))
    return appliedAs(attempt, null, answer);
  const found = await verifyNew(attempt, answer.account);
  switch (found.result) {
    case 'holds':
      return appliedAs(attempt, found, answer);
    case 'inconclusive': {
      const { reason, vendorCode } = found;
      if (isImpossible(found)) return { ...(await appliedAs(attempt, null, answer)), vendorCode };
      // The source reported success, so the account counts as applied. The reason shows why there is no proof.
      if (!isSignInObstacle(reason)) return { ...applied('none'), reason, vendorCode };
      return { ...applied('none'), signInPrevented: reason, vendorCode };
    }
    case 'differs':
      return { ...failed(attempt, 'not_proved', found.vendorCode, null), inDoubt: true };
  }
}

/** @param written the account as the write right before has named it */
const verifyNew = (
  { connector, account, passwords: { next, form } }: Attempt,
  written?: AccountRef,
): Promise<VerifyAnswer> =>
  connector.verify({ account, password: next, form, ...(written && { written }) });

/**
 * True when the account got another password in the source itself since this change was planned: that password is newer
 * (I3). An attempt that follows the plan at once does not ask.
 * @param toleranceMs how far the clock of the source may be ahead of that of the database
 */
async function hasNewerPassword(
  { connector, account }: Attempt,
  toleranceMs: number,
): Promise<boolean> {
  const { untouchedSince } = account;
  if (untouchedSince === null) return false;
  const answer = await connector.state({ account });
  if (answer.result === 'failed' || answer.passwordChangedAt === null) return false;
  return answer.passwordChangedAt.getTime() > untouchedSince.getTime() + toleranceMs;
}

/** The origin of a capture holds the password as it was typed there. */
const verifyHeld = (attempt: Attempt): Promise<VerifyAnswer> => {
  const { account, passwords } = attempt;
  const { typed: next = passwords.next } = account.origin ? passwords : {};
  return verifyNew({ ...attempt, passwords: { ...passwords, next } });
};

/** Makes a login that fails if a request brought a wrong password. */
async function guarded(
  { guard }: Attempt,
  login: () => Promise<VerifyAnswer>,
): Promise<VerifyAnswer | 'blocked'> {
  if (!(await guard.open())) return 'blocked';
  const found = await login();
  await guard.settle(found.result === 'inconclusive' ? 'unknown' : found.result);
  return found;
}

/** @returns null when the current password is right, else the result of the attempt */
async function verifyCurrent(
  attempt: Attempt,
  current: Passwords['next'],
): Promise<AttemptResult | null> {
  const { connector, account } = attempt;
  // One login must suffice (I11). The account holds what Lockstep wrote last, or else what was typed there.
  const held = account.holdsNormalized ? normalized(current) : current.copy();
  const found = await guarded(attempt, () =>
    connector.verify({ account, password: held, form: 'plaintext' }),
  ).finally(() => held.destroy());
  if (found === 'blocked') return failed(attempt, 'current_password_blocked', null, null);
  switch (found.result) {
    case 'holds':
      return null;
    case 'differs':
      // The current password was right when the write in doubt began, so another one was set since.
      if (account.inDoubt && account.attempts > 1) return superseded;
      return failed(attempt, 'wrong_current_password', found.vendorCode, null);
    case 'inconclusive':
      return failed(attempt, found.reason, found.vendorCode, null);
  }
}

type Inconclusive = Extract<VerifyAnswer, { result: 'inconclusive' }>;

/**
 * True when the source offers no way to verify, now or later: a login with a hash is impossible, for one. An account in
 * doubt can then only be written again with the same value.
 */
const isImpossible = (found: VerifyAnswer): boolean =>
  found.result === 'inconclusive' && found.reason === 'not_supported';

const stillInDoubt = (attempt: Attempt, found: Inconclusive): AttemptResult => ({
  ...failed(attempt, found.reason, found.vendorCode, null),
  inDoubt: true,
});

/**
 * The result of an attempt after which the account holds the new password, with what keeps the person from signing in.
 * A successful login shows that nothing does, unless its answer names an obstacle. Without a login, and if neither the
 * proof nor the write has shown the state of the account, it is read. A failure of that read changes nothing, because the
 * password is in place.
 */
async function appliedAs(
  { connector, account }: Attempt,
  found: Extract<VerifyAnswer, { result: 'holds' }> | null,
  written: Written | null = null,
): Promise<AttemptResult> {
  const result = applied(found?.proof ?? 'none');
  const byLogin = found?.proof === 'login' ? null : undefined;
  let obstacle = [found?.signInPrevented, byLogin, written?.signInPrevented].find(
    (shown) => shown !== undefined,
  );
  if (obstacle === undefined) {
    const answer = await connector.state({ account });
    obstacle = answer.result === 'state' ? obstacleIn(answer) : null;
  }
  return obstacle === null ? result : { ...result, signInPrevented: obstacle };
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

/** A newer password was set in the source itself. */
const superseded: AttemptResult = {
  ...unproved,
  state: 'superseded',
  reason: null,
  vendorCode: null,
};

const waiting = (reason: Reason, vendorCode: string | null): AttemptResult => ({
  ...unproved,
  state: 'waiting',
  reason,
  vendorCode,
});

/** Parked and still in doubt, so that the attempt after an operator's retry verifies first. */
const parked = (reason: Reason, vendorCode: string | null): AttemptResult => ({
  ...unproved,
  state: 'parked',
  reason,
  vendorCode,
  inDoubt: true,
});

const failed = (
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
