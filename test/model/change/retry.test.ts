import { stateAfter, UNKNOWN_ATTEMPTS, waitMs } from '../../../model/change/retry';
import { errorCodes, errors, type Reason } from '../../../model/errors';
import { keeps } from '../../support/rules';

const minutes = (count: number) => count * 60_000;

test(
  keeps('an offline source is retried after 5 s, 1, 3, 10, 30 and 90 minutes, then hourly', 10),
  () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 50].map((attempts) =>
      waitMs('unreachable', attempts, null, 0),
    );
    expect(waits).toEqual([5_000, ...[1, 3, 10, 30, 90, 60, 60].map(minutes)]);
  },
);

test(
  keeps(
    'a wait that the source asks for is used when it is longer than the schedule, and not when it is shorter',
    10,
  ),
  () => {
    expect(waitMs('throttled', 1, minutes(7), 0)).toBe(minutes(7));
    expect(waitMs('throttled', 3, 10, 0)).toBe(minutes(3));
  },
);

test('a source that asks for a longer wait than the schedule ever makes is retried after an hour', () => {
  expect(waitMs('unreachable', 1, minutes(24 * 60), 0)).toBe(minutes(60));
  expect(waitMs('account_locked', 6, minutes(24 * 60), 0)).toBe(minutes(90));
});

test('jitter adds at most a fifth to a wait, and never shortens it', () => {
  expect(waitMs('unreachable', 2, null, 1)).toBe(minutes(1.2));
  expect(waitMs('unreachable', 2, null, 0.5)).toBe(minutes(1.1));
});

test('an account in doubt is verified after two seconds, and then on the schedule', () => {
  expect(waitMs('in_doubt', 1, null, 0)).toBe(2_000);
  expect(waitMs('in_doubt', 2, null, 0)).toBe(minutes(1));
});

test('an account that another change holds is retried soon, and rarely once it is held for long', () => {
  const waits = [1, 2, 3, 4, 5].map((attempts) => waitMs('account_in_use', attempts, null, 0));
  expect(waits).toEqual([2_000, 2_000, 2_000, 5_000, minutes(1)]);
});

const reasons = errorCodes.filter((code): code is Reason => errors[code].retry !== 'never');

test.each(reasons)('the retry class of %s decides the state of the account', (reason) => {
  const expected = { offline: 'waiting', rejected: 'rejected', unknown: 'waiting', never: '' };
  const byClass = expected[errors[reason].retry];
  expect(stateAfter(reason, 1)).toBe(reason === 'no_own_password' ? 'not_applicable' : byClass);
});

test('an unknown error parks the account after five attempts, and an offline source never does', () => {
  expect(stateAfter('unknown', UNKNOWN_ATTEMPTS - 1)).toBe('waiting');
  expect(stateAfter('unknown', UNKNOWN_ATTEMPTS)).toBe('parked');
  expect(stateAfter('unreachable', 1000)).toBe('waiting');
});

test.each(errorCodes)('the error %s has a full sentence', (code) => {
  expect(errors[code].says).toMatch(/^[A-Z].*[.…]$|^[A-Z].*\.$/);
  expect(errors[code].says.length).toBeGreaterThan(25);
});
