import { type Aim, attemptAccount } from '../../activities/attempt';
import type { Connector, VerifyAnswer, WriteAnswer } from '../../connectors/contract';
import type { Form } from '../../model/hashes/encoding';
import { saltFor } from '../../model/hashes/salt';
import { Secret } from '../../model/passwords/secret';
import type { ClaimedAccount } from '../../store/worker/claims';

/** What one attempt does and concludes, for every answer that a connector may give. Real sources prove the answers. */

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

interface Row {
  readonly promise: string;
  readonly account?: Partial<ClaimedAccount>;
  readonly prove?: 'always' | 'in-doubt' | 'never';
  readonly aim?: Aim;
  readonly current?: boolean;
  readonly form?: Form;
  readonly write?: WriteAnswer;
  /** Answers to the logins, in order. */
  readonly logins?: readonly VerifyAnswer[];
  readonly expected: object;
  /** What the source saw: `w` a write, `v` a look at the new password, `c` one at the current. */
  readonly seen: string;
}

const rows: readonly Row[] = [
  {
    promise: 'a write is proved by a login',
    write: applied,
    logins: [holds],
    expected: { state: 'applied', proof: 'login' },
    seen: 'wv',
  },
  {
    promise: 'the source has this password already: that is success',
    write: { result: 'already_current' },
    logins: [holds],
    expected: { state: 'applied', proof: 'login' },
    seen: 'wv',
  },
  {
    promise:
      'a hash, and nobody sees which one is stored: applied, not proved, and nothing else is said',
    form: 'ssha512',
    write: applied,
    logins: [impossible],
    expected: { state: 'applied', proof: 'none', reason: null },
    seen: 'wv',
  },
  {
    promise: 'a hash in doubt, and nobody sees which one is stored: the same is written again',
    form: 'ssha512',
    account: { inDoubt: true, attempts: 2 },
    write: applied,
    logins: [impossible, impossible],
    expected: { state: 'applied', proof: 'none', inDoubt: false },
    seen: 'vwv',
  },
  {
    promise: 'a hash in doubt that is there: nothing is written again',
    form: 'ssha512',
    account: { inDoubt: true, attempts: 2 },
    logins: [{ result: 'holds', proof: 'hash' }],
    expected: { state: 'applied', proof: 'hash' },
    seen: 'v',
  },
  {
    promise: 'prove never: success is believed',
    prove: 'never',
    write: applied,
    expected: { state: 'applied', proof: 'none' },
    seen: 'w',
  },
  {
    promise: 'prove in doubt: a write without doubt is believed',
    prove: 'in-doubt',
    write: applied,
    expected: { state: 'applied', proof: 'none' },
    seen: 'w',
  },
  {
    promise: 'prove in doubt: a doubtful one is proved',
    prove: 'in-doubt',
    account: { inDoubt: true, attempts: 2 },
    write: applied,
    logins: [differs, holds],
    expected: { state: 'applied', proof: 'login' },
    seen: 'vwv',
  },
  {
    promise:
      'written, but nobody can log in to a disabled account: applied, and why it is not proved',
    write: applied,
    logins: [disabled],
    expected: { state: 'applied', proof: 'none', reason: 'account_disabled' },
    seen: 'wv',
  },
  {
    promise: 'the source says yes, a login says no: not believed, and looked at again',
    write: applied,
    logins: [differs],
    expected: { state: 'waiting', reason: 'not_proved', inDoubt: true },
    seen: 'wv',
  },
  {
    promise:
      'and if the login still says no, it is parked without writing again, and whoever retries it looks again',
    account: { inDoubt: true, attempts: 2, lastReason: 'not_proved' },
    logins: [differs],
    expected: { state: 'parked', reason: 'not_proved', inDoubt: true },
    seen: 'v',
  },
  {
    promise: 'an auth account that goes last is validated, and not written yet',
    aim: 'validate',
    account: { role: 'auth' },
    current: true,
    logins: [holds],
    expected: { state: 'waiting', reason: 'others_first', inDoubt: false },
    seen: 'c',
  },
  {
    promise: 'an auth account that goes last refuses the current password: it is over',
    aim: 'validate',
    account: { role: 'auth' },
    current: true,
    logins: [differs],
    expected: { state: 'rejected', reason: 'wrong_current_password' },
    seen: 'c',
  },
  {
    promise: 'the reply is lost: nothing is repeated in this attempt',
    write: ambiguous,
    expected: { state: 'waiting', reason: 'in_doubt', inDoubt: true },
    seen: 'w',
  },
  {
    promise: 'in doubt, and it was written: applied without another write',
    account: { inDoubt: true, attempts: 2 },
    logins: [holds],
    expected: { state: 'applied', proof: 'login', inDoubt: false },
    seen: 'v',
  },
  {
    promise: 'in doubt, and it was not written: written now',
    account: { inDoubt: true, attempts: 2 },
    write: applied,
    logins: [differs, holds],
    expected: { state: 'applied' },
    seen: 'vwv',
  },
  {
    promise: 'in doubt, and the source cannot be asked: still in doubt, and nothing is written',
    account: { inDoubt: true, attempts: 2 },
    logins: [away],
    expected: { state: 'waiting', reason: 'unreachable', inDoubt: true },
    seen: 'v',
  },
  {
    promise:
      'in doubt, and history refuses the repeat because the first write landed late: applied',
    account: { inDoubt: true, attempts: 2 },
    write: history,
    logins: [differs, holds],
    expected: { state: 'applied' },
    seen: 'vwv',
  },
  {
    promise: 'in doubt, refused, and not there: rejected',
    account: { inDoubt: true, attempts: 2 },
    write: history,
    logins: [differs, differs],
    expected: { state: 'rejected', reason: 'policy_history', vendorCode: '19' },
    seen: 'vwv',
  },
  {
    promise:
      'a source that gives no way to prove: success is believed, and nothing is said beside it',
    write: applied,
    logins: [impossible],
    expected: { state: 'applied', proof: 'none', reason: null },
    seen: 'wv',
  },
  {
    promise: 'in doubt, and no way to look: the same value is written again',
    account: { inDoubt: true, attempts: 2, lastReason: 'in_doubt' },
    write: applied,
    logins: [impossible, impossible],
    expected: { state: 'applied', proof: 'none', inDoubt: false },
    seen: 'vwv',
  },
  {
    promise:
      'in doubt, no way to look, and its policy refuses the repeat: parked, since it may hold it already',
    account: { inDoubt: true, attempts: 2 },
    write: history,
    logins: [impossible, impossible],
    expected: { state: 'parked', reason: 'policy_history', inDoubt: true },
    seen: 'vwv',
  },
  {
    promise: 'in doubt, no way to look, and there is no such account: rejected',
    account: { inDoubt: true, attempts: 2 },
    write: { result: 'rejected', reason: 'no_account', vendorCode: '404' },
    logins: [impossible, impossible],
    expected: { state: 'rejected', reason: 'no_account' },
    seen: 'vwv',
  },
  {
    promise: 'the current password cannot be checked by any means: rejected, nothing is written',
    account: { role: 'auth' },
    current: true,
    logins: [impossible],
    expected: { state: 'rejected', reason: 'not_supported' },
    seen: 'c',
  },
  {
    promise: 'refused without doubt: rejected, and no login is made',
    write: history,
    expected: { state: 'rejected', reason: 'policy_history' },
    seen: 'w',
  },
  {
    promise: 'unreachable: waits, and is not in doubt',
    write: { result: 'retry', reason: 'unreachable', vendorCode: 'ECONNREFUSED' },
    expected: { state: 'waiting', reason: 'unreachable', inDoubt: false },
    seen: 'w',
  },
  {
    promise: 'throttled: waits as long as the source asks',
    write: { result: 'retry', reason: 'throttled', vendorCode: '429', retryAfterMs: 7_000 },
    expected: { state: 'waiting', reason: 'throttled', retryAfterMs: 7_000 },
    seen: 'w',
  },
  {
    promise: 'an unknown error for the fifth time: parked',
    account: { attempts: 5, unknowns: 5 },
    write: { result: 'retry', reason: 'unknown', vendorCode: '80' },
    expected: { state: 'parked', reason: 'unknown', vendorCode: '80' },
    seen: 'w',
  },
  {
    promise: 'an unknown error after many attempts at an offline source: tried again',
    account: { attempts: 50, unknowns: 1 },
    write: { result: 'retry', reason: 'unknown', vendorCode: '80' },
    expected: { state: 'waiting', reason: 'unknown' },
    seen: 'w',
  },
  {
    promise: 'the current password is right: written',
    account: { role: 'auth' },
    current: true,
    write: applied,
    logins: [holds, holds],
    expected: { state: 'applied' },
    seen: 'cwv',
  },
  {
    promise: 'the current password is wrong: rejected after one login, nothing is written',
    account: { role: 'auth' },
    current: true,
    logins: [differs],
    expected: { state: 'rejected', reason: 'wrong_current_password' },
    seen: 'c',
  },
  {
    promise: 'the current password cannot be checked because the account is disabled: rejected',
    account: { role: 'auth' },
    current: true,
    logins: [disabled],
    expected: { state: 'rejected', reason: 'account_disabled' },
    seen: 'c',
  },
  {
    promise: 'the current password is asked of the auth account only',
    account: { role: 'member' },
    current: true,
    write: applied,
    logins: [holds],
    expected: { state: 'applied' },
    seen: 'wv',
  },
  {
    promise:
      'after a lost reply the current password may be the old one no more: the new one is looked at first',
    account: { role: 'auth', inDoubt: true, attempts: 2 },
    current: true,
    logins: [holds],
    expected: { state: 'applied' },
    seen: 'v',
  },
];

test('each account of a change has a salt of its own, and another one in another change', () => {
  const [seed, other] = [Secret.fromText('seed'), Secret.fromText('another')];
  const salts = [saltFor(seed, 'acc_1'), saltFor(seed, 'acc_2'), saltFor(other, 'acc_1')];
  expect(salts.map(({ length }) => length)).toEqual([16, 16, 16]);
  expect(new Set(salts.map((salt) => salt.toString('hex'))).size).toBe(3);
});

test.each(rows)('$promise', async (row) => {
  const next = Secret.fromText('the new one');
  const current = row.current ? Secret.fromText('the current one') : null;
  const logins = [...(row.logins ?? [])];
  let seen = '';
  const connector = {
    async setPassword({ salt }: { salt: Buffer }) {
      expect(salt).toEqual(saltFor(Secret.fromText('seed'), 'acc_1'));
      seen += 'w';
      if (row.write === undefined) throw new Error('no write was expected');
      return row.write;
    },
    async verify({ password }: { password: Secret }) {
      seen += password.equals(next) ? 'v' : 'c';
      const answer = logins.shift();
      if (answer === undefined) throw new Error('no login was expected');
      return answer;
    },
  } as unknown as Connector;
  const account: ClaimedAccount = {
    label: 'apps',
    source: 'apps',
    role: 'member',
    accountId: 'acc_1',
    name: 'uid=somebody',
    nativeId: null,
    attempts: 1,
    unknowns: 1,
    held: false,
    probe: null,
    inDoubt: false,
    origin: false,
    lastReason: null,
    leasedBefore: null,
    verdict: 'claimed',
    ...row.account,
  };
  const result = await attemptAccount({
    account,
    connector,
    passwords: { next, current, form: row.form ?? 'plaintext', seed: Secret.fromText('seed') },
    prove: row.prove ?? 'always',
    aim: row.aim ?? 'write',
    mayWrite: () => true,
    onMoved: async () => {},
  });
  expect(result).toMatchObject(row.expected);
  expect(seen).toBe(row.seen);
  expect(logins).toEqual([]);
});
