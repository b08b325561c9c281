import type { ChangeState } from '../../../model/change/change';
import { type HeadlineCode, type HeadlineOutcome, headline } from '../../../model/change/headline';

const outcome = (given: Partial<HeadlineOutcome>): HeadlineOutcome => ({
  role: 'member',
  state: 'applied',
  reason: null,
  proof: 'login',
  inDoubt: false,
  attempts: 1,
  isOrigin: false,
  isOvertaken: false,
  isChangedSince: false,
  signInPrevented: null,
  ...given,
});
const auth = (given: Partial<HeadlineOutcome> = {}) => outcome({ role: 'auth', ...given });
const origin = { reason: 'origin', proof: 'none', isOrigin: true, attempts: 0 } as const;
const unproved = { proof: 'none' } as const;
const left = (reason: string) =>
  ({ state: 'not_applicable', reason, proof: 'none', attempts: 0 }) as const;
const not = (state: HeadlineOutcome['state'], attempts = 0) =>
  ({ state, proof: 'none', attempts }) as const;
const doubt = { proof: 'none', inDoubt: true, attempts: 1 } as const;

type Row = [ChangeState, readonly HeadlineOutcome[], HeadlineCode, string];

test.each<Row>([
  ['accepted', [], 'accepted', 'accepted, not begun'],
  ['applying', [auth(), outcome(not('pending'))], 'applying', 'in progress'],
  [
    'waiting',
    [auth(), outcome(not('waiting', 1))],
    'waiting',
    'some accounts wait for the next attempt',
  ],
  [
    'waiting',
    [auth(), outcome(not('parked', 5))],
    'parked',
    'some accounts are parked until an operator retries or cancels them',
  ],
  ['done', [auth(), outcome({})], 'everywhere', 'every account holds the new password'],
  [
    'done',
    [auth(), outcome({ signInPrevented: 'account_locked' })],
    'everywhere',
    'every account holds the new password, but the person cannot sign in to 1 of them',
  ],
  ['done', [auth(origin), outcome({})], 'everywhere', 'every account holds the new password'],
  [
    'done',
    [auth(), outcome(left('no_account_found'))],
    'everywhere',
    'every account holds the new password',
  ],
  [
    'done',
    [auth(), outcome(left('mapping_disabled')), outcome(left('source_disabled'))],
    'where_planned',
    'every account that was to be changed holds the new password; 2 left out (mapping disabled, source disabled)',
  ],
  [
    'done',
    [auth(), outcome(unproved)],
    'taken',
    'every account took the new password; 1 of 2 is not verified',
  ],
  ['done', [auth(unproved)], 'taken', 'every account took the new password; none is verified'],
  [
    'done',
    [auth(), outcome(unproved), outcome(left('not_primary'))],
    'taken_where_planned',
    'every account that was to be changed took the new password; 1 of 2 is not verified; 1 left out (not primary)',
  ],
  [
    'done',
    [auth(origin), outcome(left('adapter_disabled'))],
    'changed_there_only',
    'the account in which the password was changed holds it, and no other account was written; 1 left out (adapter disabled)',
  ],
  [
    'done',
    [auth({ isOvertaken: true }), outcome({ isChangedSince: true })],
    'taken',
    'every account took the new password; 1 written by a newer change since; 1 changed in the source since',
  ],
  [
    'partial',
    [auth(), outcome(not('rejected', 1))],
    'partial',
    'some accounts hold the new password, some do not',
  ],
  [
    'partial',
    [auth(unproved), outcome({ ...not('rejected'), ...doubt }), outcome(not('cancelled'))],
    'partial',
    'some accounts hold the new password, some do not; none is verified; 1 may hold the new password or another one; 1 cancelled',
  ],
  [
    'partial',
    [auth(), outcome(not('superseded')), outcome(left('mapping_disabled'))],
    'replaced',
    'a newer password has replaced this one, which some accounts had taken before; 1 left out (mapping disabled)',
  ],
  [
    'partial',
    [auth(), outcome(not('superseded')), outcome(not('rejected', 1))],
    'partial',
    'some accounts hold the new password, some do not; 1 left to a newer password',
  ],
  [
    'partial',
    [auth({ isOvertaken: true }), outcome(not('rejected', 1))],
    'taken_partly',
    'some accounts took the new password, some did not; 1 written by a newer change since',
  ],
  [
    'refused',
    [auth(not('rejected', 1)), outcome(not('not_attempted'))],
    'refused',
    'the auth account was not changed, so nothing else was attempted',
  ],
  ['refused', [], 'refused', 'the auth account was not changed, so nothing else was attempted'],
  [
    'refused',
    [auth(not('rejected', 1)), outcome(origin)],
    'refused',
    'the auth account was not changed, so nothing else was attempted; only the account in which the password was changed holds it',
  ],
  [
    'refused',
    [outcome({}), auth(not('rejected', 1))],
    'refused_late',
    'the auth account was not changed; 1 other holds it',
  ],
  [
    'refused',
    [auth({ ...not('rejected'), isOrigin: true }), outcome(not('not_attempted'))],
    'refused_at_origin',
    'the change was refused, so no account was written; only the account in which the password was changed holds it',
  ],
  [
    'refused',
    [auth({ ...not('rejected'), ...doubt })],
    'refused',
    'the auth account is not known to be changed, so nothing else was attempted; 1 may hold the new password or another one',
  ],
  [
    'refused',
    [auth(not('rejected', 1)), outcome({ ...not('not_attempted'), inDoubt: true, isOrigin: true })],
    'refused',
    'the auth account was not changed, so nothing else was attempted; 1 may hold the new password or another one',
  ],
  [
    'failed',
    [outcome(not('rejected', 1)), auth(not('not_attempted'))],
    'failed',
    'no account took the new password',
  ],
  [
    'failed',
    [outcome({ ...not('rejected'), ...doubt }), auth(not('not_attempted'))],
    'failed',
    'no account is known to hold the new password; 1 may hold the new password or another one',
  ],
  [
    'expired',
    [auth(not('expired', 1)), outcome(not('not_attempted'))],
    'expired',
    'expired before the auth account could be changed',
  ],
  [
    'expired',
    [auth({ ...not('expired'), ...doubt })],
    'expired',
    'expired before the auth account was known to be changed; 1 may hold the new password or another one',
  ],
  ['cancelled', [auth(not('cancelled'))], 'cancelled', 'cancelled'],
  [
    'cancelled',
    [auth(not('cancelled')), outcome(origin)],
    'cancelled',
    'cancelled; only the account in which the password was changed holds it',
  ],
  ['superseded', [auth(not('superseded'))], 'superseded', 'replaced by a newer password'],
])(
  'the sentence about a change that is %s counts what is known: %#',
  (state, outcomes, code, says) => {
    expect(headline({ state, partial: false, outcomes })).toEqual({ code, says });
  },
);

test('a change that only updates a stored credential does not claim to have written an account', () => {
  const { code, says } = headline({ state: 'done', partial: true, outcomes: [auth(origin)] });
  expect([code, says]).toEqual([
    'stored_only',
    'no account was written: the change only updates the stored credential of the account in which the password was changed',
  ]);
});
