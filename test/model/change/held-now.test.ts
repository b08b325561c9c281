import { heldNow, heldNowOf } from '../../../model/change/held-now';

const quiet = { hasTaken: true, open: null, stale: null };

test.each([
  ['an account that nothing contradicts holds the newest password', quiet, 'newest', 'newest'],
  [
    'an account that took no password holds an unknown one',
    { ...quiet, hasTaken: false },
    'unwritten',
    'unknown',
  ],
  [
    'an account that waits holds an older password',
    { ...quiet, open: { inDoubt: false } },
    'older',
    'older',
  ],
  [
    'an account that waits in doubt holds an unknown password',
    { ...quiet, open: { inDoubt: true } },
    'unsure',
    'unknown',
  ],
  [
    'an account whose capture had no effect holds the password that was changed there',
    { ...quiet, stale: 'capture_without_effect' },
    'changedThere',
    'older',
  ],
  [
    'an account that was changed in its source holds that password',
    { ...quiet, stale: 'changed_there' },
    'changedThere',
    'older',
  ],
  [
    'an account that no login could verify holds an unknown password',
    { ...quiet, stale: 'unproved' },
    'unsure',
    'unknown',
  ],
  [
    'an account that rejected the password holds an older one',
    { ...quiet, stale: 'rejected' },
    'older',
    'older',
  ],
] as const)('%s', (_title, account, expected, holds) => {
  expect([heldNowOf(account), heldNow[heldNowOf(account)].holds]).toEqual([expected, holds]);
});
