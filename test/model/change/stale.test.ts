import { outcomeStates } from '../../../model/change/outcome';
import {
  type AccountHistory,
  SOURCE_CLOCKS_MS,
  staleCodes,
  staleness,
  staleRules,
} from '../../../model/change/stale';

const noon = Date.parse('2026-01-31T12:00:00Z');
const at = (ms: number) => new Date(noon + ms);
const LINKED = at(-1_000_000);

const account = (more: Partial<AccountHistory> = {}): AccountHistory => ({
  outcome: { state: 'applied', reason: null, proof: 'login', at: at(0), acceptedAt: at(0) },
  holdsLast: true,
  linkedAt: LINKED,
  changedThereAt: null,
  withoutEffect: null,
  problem: null,
  problemAt: null,
  enabled: true,
  ...more,
});
type Outcome = NonNullable<AccountHistory['outcome']>;
const cameTo = (state: Outcome['state'], reason: Outcome['reason'] = null, more = {}) =>
  staleness(
    account({
      outcome: { state, reason, proof: 'none', at: at(0), acceptedAt: at(0) },
      holdsLast: false,
      ...more,
    }),
  );

describe('an account that is not stale', () => {
  test.each<[string, Partial<AccountHistory>]>([
    ['an account that holds the last password, verified by a login, is not stale', {}],
    [
      'an account in which the password was changed is not stale',
      {
        outcome: {
          state: 'applied',
          reason: 'origin',
          proof: 'none',
          at: at(0),
          acceptedAt: at(0),
        },
      },
    ],
    [
      'an account that a later change has written is not stale',
      {
        outcome: {
          state: 'expired',
          reason: 'too_old',
          proof: 'none',
          at: at(0),
          acceptedAt: at(0),
        },
      },
    ],
    [
      'a disabled account that a login has shown to hold the last password is not stale',
      {
        outcome: {
          state: 'applied',
          reason: 'account_disabled',
          proof: 'login',
          at: at(0),
          acceptedAt: at(0),
        },
      },
    ],
    [
      'an account that held the password before the change is not stale, whatever its time of change',
      {
        outcome: {
          state: 'applied',
          reason: 'already_held',
          proof: 'login',
          at: at(0),
          acceptedAt: at(0),
        },
        changedThereAt: at(-10 * SOURCE_CLOCKS_MS),
      },
    ],
    [
      'an account whose source reports the time of the write itself is not stale',
      { changedThereAt: at(SOURCE_CLOCKS_MS) },
    ],
  ])('%s', (_what, more) => {
    expect(staleness(account(more))).toBeNull();
  });

  test.each(Object.keys(outcomeStates) as Outcome['state'][])(
    'an account with the outcome %s is stale once its change has ended without it',
    (state) => {
      const underWay = ['pending', 'applying', 'waiting'].includes(state);
      const leftOut = state === 'not_applicable' || state === 'applied';
      expect(cameTo(state) === null).toBe(underWay || leftOut);
    },
  );

  test.each(['not_primary', 'no_own_password', 'unlinked', 'no_account_found'] as const)(
    'an account that a rule left out is not stale: %s',
    (reason) => expect(cameTo('not_applicable', reason)).toBeNull(),
  );
});

describe('an account that is stale', () => {
  test.each<[string, ReturnType<typeof cameTo>, object]>([
    [
      'an account is stale when its source could not be reached until the change expired',
      cameTo('expired', 'too_old'),
      { code: 'expired', catchesUp: true, since: at(0) },
    ],
    [
      'an account is stale when it was rejected, with the cure of that rejection',
      cameTo('rejected', 'no_rights'),
      { code: 'rejected', catchesUp: false, cure: expect.stringContaining('Grant it the right') },
    ],
    [
      'an account is stale when its change was cancelled',
      cameTo('cancelled'),
      { code: 'cancelled', catchesUp: false },
    ],
    [
      'an account is stale when it was left to a newer change that no account took',
      cameTo('superseded'),
      { code: 'left_behind', catchesUp: true },
    ],
    [
      'an account is stale when it was not attempted',
      cameTo('not_attempted', 'others_unchanged'),
      { code: 'not_attempted', catchesUp: true },
    ],
    [
      'an account is stale when it is parked',
      cameTo('parked', 'unknown'),
      { code: 'parked', catchesUp: false },
    ],
    [
      'an account is stale when its source is switched off, and a sign-in does not cure it',
      cameTo('not_applicable', 'source_disabled', { enabled: false }),
      { code: 'switched_off', catchesUp: false },
    ],
    [
      'an account is stale when its source was switched off, and a sign-in cures it',
      cameTo('not_applicable', 'source_disabled'),
      { code: 'was_switched_off', catchesUp: true },
    ],
    [
      'an account is stale when it was linked after the last change',
      staleness(account({ outcome: null, holdsLast: false })),
      { code: 'linked_later', catchesUp: true, since: LINKED },
    ],
    [
      'an account is stale when no login could verify its password',
      cameTo('applied', 'account_locked', { holdsLast: true }),
      { code: 'unproved', catchesUp: true },
    ],
    [
      'an account is stale when its source reports an older password than the one that was written',
      staleness(account({ changedThereAt: at(-SOURCE_CLOCKS_MS - 1) })),
      { code: 'restored_there', catchesUp: true, since: at(0) },
    ],
    [
      'an account is stale when its captured password had no effect, with the reason of that',
      staleness(
        account({
          withoutEffect: { at: at(5), reason: 'password_against_policy', changeId: null },
        }),
      ),
      {
        code: 'capture_without_effect',
        since: at(5),
        reason: 'password_against_policy',
        cure: expect.stringContaining('does not satisfy the policy of the group'),
      },
    ],
    [
      'an account is stale when it was changed in its source and that was not captured',
      staleness(account({ changedThereAt: at(SOURCE_CLOCKS_MS + 1) })),
      { code: 'changed_there', catchesUp: true, since: at(SOURCE_CLOCKS_MS + 1) },
    ],
  ])('%s', (_what, stale, expected) => {
    expect(stale).toMatchObject(expected);
  });

  test.each(staleCodes)(
    'the stale code %s says in one sentence what is wrong, and in another what to do',
    (code) => {
      const { says, cure } = staleRules[code];
      for (const text of [says, cure]) expect(text).toMatch(/^[A-Z].{15,}\.$/);
    },
  );
});
