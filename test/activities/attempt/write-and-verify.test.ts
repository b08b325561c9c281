import type { Aim } from '../../../activities/attempt/aim';
import { writeAndVerify } from '../../../activities/attempt/write-and-verify';
import type {
  Connector,
  StateAnswer,
  VerifyAnswer,
  WriteAnswer,
} from '../../../connectors/contract';
import type { Form } from '../../../model/hashes/encoding';
import { saltFor } from '../../../model/hashes/salt';
import { Secret } from '../../../model/passwords/secret';
import type { ClaimedAccount } from '../../../store/worker/claims';

/**
 * The calls and the result of one attempt, for every answer that a connector may give. That real sources give these
 * answers is tested by the conformance suite of the connectors.
 */

const holds: VerifyAnswer = { result: 'holds', proof: 'login' };
const differs: VerifyAnswer = { result: 'differs', vendorCode: '49' };
const away: VerifyAnswer = { result: 'inconclusive', reason: 'unreachable', vendorCode: null };
const disabled: VerifyAnswer = {
  result: 'inconclusive',
  reason: 'account_disabled',
  vendorCode: null,
};
const impossible: VerifyAnswer = {
  result: 'inconclusive',
  reason: 'not_supported',
  vendorCode: null,
};
const applied: WriteAnswer = { result: 'applied' };
const history: WriteAnswer = { result: 'rejected', reason: 'policy_history', vendorCode: '19' };
const ambiguous: WriteAnswer = { result: 'ambiguous', vendorCode: null };

const changedAt = (time: string): StateAnswer => ({
  result: 'state',
  account: { name: 'uid=somebody', nativeId: null },
  disabled: false,
  locked: false,
  mustChange: false,
  passwordChangedAt: new Date(time),
});

interface Row {
  /** True when the guard of the account lets no login be made. */
  readonly blocked?: boolean;
  readonly promise: string;
  readonly account?: Partial<ClaimedAccount>;
  readonly prove?: 'always' | 'in-doubt' | 'never';
  readonly aim?: Aim;
  readonly current?: boolean;
  readonly form?: Form;
  readonly write?: WriteAnswer;
  /** True when the claim is too old to begin a write. */
  readonly staleClaim?: boolean;
  /** Answers to the calls of `verify`, in order. */
  readonly logins?: readonly VerifyAnswer[];
  /** Answer to the call of `state`. */
  readonly state?: StateAnswer;
  readonly expected: object;
  /**
   * Calls in order: `w` a write, `v` a login with the new password, `t` a login with it as it was typed, `c` a login with
   * the current one, `s` a read of the state.
   */
  readonly calls: string;
}

const usable = {
  result: 'state',
  account: { name: 'uid=somebody', nativeId: null },
  disabled: false,
  locked: false,
  mustChange: false,
  passwordChangedAt: null,
} as const;

const rows: readonly Row[] = [
  {
    promise: 'a write is verified by a login with the new password',
    write: applied,
    logins: [holds],
    expected: { state: 'applied', proof: 'login' },
    calls: 'wv',
  },
  {
    promise: 'an answer that the account already has this password counts as success',
    write: { result: 'already_current' },
    logins: [holds],
    expected: { state: 'applied', proof: 'login', unwritten: true },
    calls: 'wv',
  },
  {
    promise:
      'a hash in a source that cannot verify hashes is applied without proof and without a reason',
    form: 'ssha512',
    write: applied,
    logins: [impossible],
    expected: { state: 'applied', proof: 'none', reason: null },
    calls: 'wvs',
  },
  {
    promise: 'a hash in doubt in a source that cannot verify hashes is written again',
    form: 'ssha512',
    account: { inDoubt: true, attempts: 2 },
    write: applied,
    logins: [impossible, impossible],
    expected: { state: 'applied', proof: 'none', inDoubt: false },
    calls: 'vwvs',
  },
  {
    promise: 'a hash in doubt that the source already stores is not written again',
    form: 'ssha512',
    account: { inDoubt: true, attempts: 2 },
    logins: [{ result: 'holds', proof: 'hash' }],
    expected: { state: 'applied', proof: 'hash' },
    calls: 'vs',
  },
  {
    promise: 'with prove: never, a success of the source is not verified',
    prove: 'never',
    write: applied,
    expected: { state: 'applied', proof: 'none' },
    calls: 'ws',
  },
  {
    promise: 'with prove: in-doubt, a write without doubt is not verified',
    prove: 'in-doubt',
    write: applied,
    expected: { state: 'applied', proof: 'none' },
    calls: 'ws',
  },
  {
    promise: 'with prove: in-doubt, a write after a doubtful one is verified',
    prove: 'in-doubt',
    account: { inDoubt: true, attempts: 2 },
    write: applied,
    logins: [differs, holds],
    expected: { state: 'applied', proof: 'login' },
    calls: 'vswv',
  },
  {
    promise:
      'a write to a disabled account is applied without proof, and the account prevents the sign-in',
    write: applied,
    logins: [disabled],
    expected: {
      state: 'applied',
      proof: 'none',
      reason: null,
      signInPrevented: 'account_disabled',
    },
    calls: 'wv',
  },
  {
    promise: 'a login that shows an obstacle to the sign-in is a proof, and the obstacle is kept',
    write: applied,
    logins: [{ result: 'holds', proof: 'login', signInPrevented: 'must_change_password' }],
    expected: { state: 'applied', proof: 'login', signInPrevented: 'must_change_password' },
    calls: 'wv',
  },
  {
    promise: 'an account that was verified by its hash is asked whether the person can sign in',
    write: applied,
    logins: [{ result: 'holds', proof: 'hash' }],
    state: { ...usable, locked: true },
    expected: { state: 'applied', proof: 'hash', signInPrevented: 'account_locked' },
    calls: 'wvs',
  },
  {
    promise: 'an account that cannot be verified is asked whether the person can sign in',
    write: applied,
    logins: [impossible],
    state: { ...usable, disabled: true },
    expected: { state: 'applied', proof: 'none', signInPrevented: 'account_disabled' },
    calls: 'wvs',
  },
  {
    promise: 'an account whose state cannot be read after the write is applied all the same',
    prove: 'never',
    write: applied,
    state: { result: 'failed', reason: 'unreachable', vendorCode: null },
    expected: { state: 'applied', reason: null, proof: 'none' },
    calls: 'ws',
  },
  {
    promise: 'an account that could not be verified because its source went away shows that reason',
    write: applied,
    logins: [away],
    expected: { state: 'applied', proof: 'none', reason: 'unreachable' },
    calls: 'wv',
  },
  {
    promise: 'a success of the source that a login contradicts waits in doubt for another check',
    write: applied,
    logins: [differs],
    expected: { state: 'waiting', reason: 'not_proved', inDoubt: true },
    calls: 'wv',
  },
  {
    promise:
      'a success that a second login contradicts parks the account, still in doubt, without another write',
    account: { inDoubt: true, attempts: 2, lastReason: 'not_proved' },
    logins: [differs],
    expected: { state: 'parked', reason: 'not_proved', inDoubt: true },
    calls: 'v',
  },
  {
    promise: 'an auth account that goes last is validated and not written yet',
    aim: 'validate',
    account: { role: 'auth' },
    current: true,
    logins: [holds],
    expected: { state: 'waiting', reason: 'others_first', inDoubt: false },
    calls: 'c',
  },
  {
    promise: 'an auth account that goes last is rejected when the current password is wrong',
    aim: 'validate',
    account: { role: 'auth' },
    current: true,
    logins: [differs],
    expected: { state: 'rejected', reason: 'wrong_current_password' },
    calls: 'c',
  },
  {
    promise: 'a current password is not tried, and nothing is written, while the guard is closed',
    account: { role: 'auth' },
    current: true,
    blocked: true,
    calls: '',
    expected: { state: 'rejected', reason: 'current_password_blocked' },
  },
  {
    promise: 'a captured password is verified at its origin whatever the guard says',
    account: { inDoubt: true, origin: true },
    blocked: true,
    logins: [{ result: 'holds', proof: 'login' }],
    calls: 't',
    expected: { state: 'applied', proof: 'login' },
  },
  {
    promise: 'a new password that Lockstep may have written is verified whatever the guard says',
    account: { inDoubt: true },
    blocked: true,
    logins: [{ result: 'holds', proof: 'login' }],
    calls: 'v',
    expected: { state: 'applied', proof: 'login' },
  },
  {
    promise: 'an attempt whose reply is lost ends in doubt and repeats nothing',
    write: ambiguous,
    expected: { state: 'waiting', reason: 'in_doubt', inDoubt: true },
    calls: 'w',
  },
  {
    promise: 'an account in doubt that holds the new password is applied without another write',
    account: { inDoubt: true, attempts: 2 },
    logins: [holds],
    expected: { state: 'applied', proof: 'login', inDoubt: false },
    calls: 'v',
  },
  {
    promise: 'an account in doubt that still holds the old password is written',
    account: { inDoubt: true, attempts: 2 },
    write: applied,
    logins: [differs, holds],
    expected: { state: 'applied' },
    calls: 'vswv',
  },
  {
    promise:
      'an account in doubt stays in doubt, and is not written, while its source cannot be reached',
    account: { inDoubt: true, attempts: 2 },
    logins: [away],
    expected: { state: 'waiting', reason: 'unreachable', inDoubt: true },
    calls: 'v',
  },
  {
    promise:
      'an account in doubt is applied when the history refuses the repeat because the first write landed late',
    account: { inDoubt: true, attempts: 2 },
    write: history,
    logins: [differs, holds],
    expected: { state: 'applied' },
    calls: 'vswv',
  },
  {
    promise:
      'an account in doubt is rejected when the source refuses the write and a login shows the old password',
    account: { inDoubt: true, attempts: 2 },
    write: history,
    logins: [differs, differs],
    expected: { state: 'rejected', reason: 'policy_history', vendorCode: '19' },
    calls: 'vswv',
  },
  {
    promise:
      'a success of a source that offers no way to verify is applied without proof and without a reason',
    write: applied,
    logins: [impossible],
    expected: { state: 'applied', proof: 'none', reason: null },
    calls: 'wvs',
  },
  {
    promise:
      'an account in doubt in a source that offers no way to verify is written again with the same value',
    account: { inDoubt: true, attempts: 2, lastReason: 'in_doubt' },
    write: applied,
    logins: [impossible, impossible],
    expected: { state: 'applied', proof: 'none', inDoubt: false },
    calls: 'vwvs',
  },
  {
    promise:
      'an account in doubt that cannot be verified is parked when a policy refuses the repeat',
    account: { inDoubt: true, attempts: 2 },
    write: history,
    logins: [impossible, impossible],
    expected: { state: 'parked', reason: 'policy_history', inDoubt: true },
    calls: 'vwv',
  },
  {
    promise:
      'an account in doubt that cannot be verified is rejected when the source has no such account',
    account: { inDoubt: true, attempts: 2 },
    write: { result: 'rejected', reason: 'no_account', vendorCode: '404' },
    logins: [impossible, impossible],
    expected: { state: 'rejected', reason: 'no_account' },
    calls: 'vwv',
  },
  {
    promise:
      'an auth account whose current password cannot be verified at all is rejected and not written',
    account: { role: 'auth' },
    current: true,
    logins: [impossible],
    expected: { state: 'rejected', reason: 'not_supported' },
    calls: 'c',
  },
  {
    promise: 'a refusal of an account that is not in doubt is final, without any login',
    write: history,
    expected: { state: 'rejected', reason: 'policy_history' },
    calls: 'w',
  },
  {
    promise: 'an account of an unreachable source waits and is not in doubt',
    write: { result: 'retry', reason: 'unreachable', vendorCode: 'ECONNREFUSED' },
    expected: { state: 'waiting', reason: 'unreachable', inDoubt: false },
    calls: 'w',
  },
  {
    promise: 'an account of a throttling source waits as long as the source asks',
    write: { result: 'retry', reason: 'throttled', vendorCode: '429', retryAfterMs: 7_000 },
    expected: { state: 'waiting', reason: 'throttled', retryAfterMs: 7_000 },
    calls: 'w',
  },
  {
    promise: 'an account is parked after its fifth unknown error',
    account: { attempts: 5, unknowns: 5 },
    write: { result: 'retry', reason: 'unknown', vendorCode: '80' },
    expected: { state: 'parked', reason: 'unknown', vendorCode: '80' },
    calls: 'sw',
  },
  {
    promise:
      'an account is retried after its first unknown error, however many attempts an offline source took',
    account: { attempts: 50, unknowns: 1 },
    write: { result: 'retry', reason: 'unknown', vendorCode: '80' },
    expected: { state: 'waiting', reason: 'unknown' },
    calls: 'sw',
  },
  {
    promise: 'an auth account whose current password is right is written',
    account: { role: 'auth' },
    current: true,
    write: applied,
    logins: [holds, holds],
    expected: { state: 'applied' },
    calls: 'cwv',
  },
  {
    promise:
      'an auth account whose current password is wrong is rejected after one login and not written',
    account: { role: 'auth' },
    current: true,
    logins: [differs],
    expected: { state: 'rejected', reason: 'wrong_current_password' },
    calls: 'c',
  },
  {
    promise:
      'an auth account that is disabled is rejected when its current password has to be verified',
    account: { role: 'auth' },
    current: true,
    logins: [disabled],
    expected: { state: 'rejected', reason: 'account_disabled' },
    calls: 'c',
  },
  {
    promise: 'the current password is verified at the auth account only',
    account: { role: 'member' },
    current: true,
    write: applied,
    logins: [holds],
    expected: { state: 'applied' },
    calls: 'wv',
  },
  {
    promise: 'after a lost reply, the new password is verified before the current one',
    account: { role: 'auth', inDoubt: true, attempts: 2 },
    current: true,
    logins: [holds],
    expected: { state: 'applied' },
    calls: 'v',
  },
  {
    promise: 'a retry does not overwrite a password that was set in the source after the plan',
    account: { attempts: 2, lastReason: 'unreachable' },
    state: changedAt('2026-01-01T08:02:00Z'),
    expected: { state: 'superseded' },
    calls: 's',
  },
  {
    promise: 'a password that was set a few seconds after the plan is not overwritten either',
    account: { attempts: 2, lastReason: 'unreachable' },
    state: changedAt('2026-01-01T08:00:03Z'),
    expected: { state: 'superseded' },
    calls: 's',
  },
  {
    promise: 'a first attempt that had to wait does not overwrite a password that was set since',
    account: { attempts: 1, untouchedSince: new Date('2026-01-01T08:00:00Z') },
    state: changedAt('2026-01-01T08:00:03Z'),
    expected: { state: 'superseded' },
    calls: 's',
  },
  {
    promise: 'a password of Lockstep that the fast clock of a source dates after the plan is older',
    account: { attempts: 2, lastReason: 'unreachable', touchedBefore: true },
    state: changedAt('2026-01-01T08:00:55Z'),
    write: applied,
    logins: [holds],
    expected: { state: 'applied' },
    calls: 'swv',
  },
  {
    promise: 'a retry writes if the password in the source is older than the plan',
    account: { attempts: 2, lastReason: 'unreachable' },
    state: changedAt('2026-01-01T07:59:00Z'),
    write: applied,
    logins: [holds],
    expected: { state: 'applied' },
    calls: 'swv',
  },
  {
    promise: 'a retry in doubt leaves a password that is neither the old nor the new one',
    account: { role: 'auth', inDoubt: true, attempts: 2 },
    current: true,
    logins: [differs, differs],
    expected: { state: 'superseded' },
    calls: 'vsc',
  },
  {
    promise:
      'a retry in doubt does not overwrite a password that was set in the source after the plan',
    account: { inDoubt: true, attempts: 2 },
    state: changedAt('2026-01-01T08:00:10Z'),
    logins: [differs],
    expected: { state: 'superseded' },
    calls: 'vs',
  },
  {
    promise: 'a wrong current password is rejected as wrong even if the first attempt had to wait',
    account: { role: 'auth', attempts: 2, lastReason: 'account_locked' },
    current: true,
    logins: [differs],
    expected: { state: 'rejected', reason: 'wrong_current_password' },
    calls: 'sc',
  },
  {
    promise: 'a worker that was frozen after its claim begins no write',
    staleClaim: true,
    expected: { state: 'waiting', reason: 'account_in_use', inDoubt: false },
    calls: '',
  },
  {
    promise: 'the origin of a capture in doubt is verified with the password as it was typed there',
    account: { origin: true, inDoubt: true },
    logins: [holds],
    expected: { state: 'applied', proof: 'login', found: true },
    calls: 't',
  },
];

test('the salt differs between two accounts of a change, and between two changes of an account', () => {
  const [seed, other] = [Secret.fromText('seed'), Secret.fromText('another')];
  const salts = [saltFor(seed, 'acc_1'), saltFor(seed, 'acc_2'), saltFor(other, 'acc_1')];
  expect(salts.map(({ length }) => length)).toEqual([16, 16, 16]);
  expect(new Set(salts.map((salt) => salt.toString('hex'))).size).toBe(3);
});

test.each(rows)('$promise', async (row) => {
  const next = Secret.fromText('the new one');
  const typed = Secret.fromText('as it was typed');
  const current = row.current ? Secret.fromText('the current one') : null;
  const logins = [...(row.logins ?? [])];
  let calls = '';
  const connector = {
    async setPassword({ salt }: { salt: Buffer }) {
      expect(salt).toEqual(saltFor(Secret.fromText('seed'), 'acc_1'));
      calls += 'w';
      if (row.write === undefined) throw new Error('no write was expected');
      return row.write;
    },
    async verify({ password }: { password: Secret }) {
      calls += password.equals(next) ? 'v' : password.equals(typed) ? 't' : 'c';
      const answer = logins.shift();
      if (answer === undefined) throw new Error('no login was expected');
      return answer;
    },
    async state() {
      calls += 's';
      return row.state ?? usable;
    },
  } as unknown as Connector;
  const account: ClaimedAccount = {
    label: 'apps',
    position: 0,
    source: 'apps',
    role: 'member',
    accountId: 'acc_1',
    name: 'uid=somebody',
    nativeId: null,
    idLearnt: true,
    problem: null,
    attempts: 1,
    unknowns: 1,
    held: false,
    probe: null,
    inDoubt: false,
    origin: false,
    holdsNormalized: false,
    untouchedSince: (row.account?.attempts ?? 1) > 1 ? new Date('2026-01-01T08:00:00Z') : null,
    touchedBefore: false,
    lastReason: null,
    leasedBefore: null,
    leasedUntil: null,
    verdict: 'claimed',
    ...row.account,
  };
  const result = await writeAndVerify({
    account,
    connector,
    passwords: {
      next,
      typed,
      current,
      form: row.form ?? 'plaintext',
      seed: Secret.fromText('seed'),
    },
    of: { changeId: 'chg_1', label: account.label, accountId: account.accountId, seq: 1 },
    prove: row.prove ?? 'always',
    aim: row.aim ?? 'write',
    claimIsFresh: () => row.staleClaim !== true,
    onRead: async () => {},
    guard: { open: async () => row.blocked !== true, settle: async () => {} },
  });
  expect(result).toMatchObject(row.expected);
  expect(calls).toBe(row.calls);
  expect(logins).toEqual([]);
});
