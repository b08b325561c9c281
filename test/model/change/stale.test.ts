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

const standing = (more: Partial<AccountHistory> = {}): AccountHistory => ({
  outcome: { state: 'applied', reason: null, at: at(0) },
  holdsLast: true,
  linkedAt: LINKED,
  changedThereAt: null,
  enabled: true,
  ...more,
});
type Outcome = NonNullable<AccountHistory['outcome']>;
const cameTo = (state: Outcome['state'], reason: Outcome['reason'] = null, more = {}) =>
  staleness(standing({ outcome: { state, reason, at: at(0) }, holdsLast: false, ...more }));

describe('an account is not stale', () => {
  test.each<[string, Partial<AccountHistory>]>([
    ['that holds the last password, proved', {}],
    ['in which it was changed', { outcome: { state: 'applied', reason: 'origin', at: at(0) } }],
    [
      'that a later change has written',
      { outcome: { state: 'expired', reason: 'too_old', at: at(0) } },
    ],
    ['whose source tells of our own write', { changedThereAt: at(SOURCE_CLOCKS_MS) }],
  ])('%s', (_what, more) => {
    expect(staleness(standing(more))).toBeNull();
  });

  test.each(Object.keys(outcomeStates) as Outcome['state'][])(
    'or is, for each state that an outcome may have: %s',
    (state) => {
      const underWay = ['pending', 'applying', 'waiting'].includes(state);
      const leftOut = state === 'not_applicable' || state === 'applied';
      expect(cameTo(state) === null).toBe(underWay || leftOut);
    },
  );

  test.each(['not_primary', 'no_own_password', 'unlinked', 'no_account_found'] as const)(
    'that a rule leaves out: %s',
    (reason) => expect(cameTo('not_applicable', reason)).toBeNull(),
  );
});

describe('an account is stale', () => {
  test.each<[string, ReturnType<typeof cameTo>, object]>([
    [
      'its source stayed away',
      cameTo('expired', 'too_old'),
      { code: 'expired', catchesUp: true, since: at(0) },
    ],
    [
      'it was refused: what to do is what the refusal says',
      cameTo('rejected', 'no_rights'),
      { code: 'rejected', catchesUp: false, cure: expect.stringContaining('Grant it the right') },
    ],
    ['the change was cancelled', cameTo('cancelled'), { code: 'cancelled', catchesUp: false }],
    [
      'a newer change that came to nothing took it over',
      cameTo('superseded'),
      { code: 'left_behind', catchesUp: true },
    ],
    [
      'nobody attempted it',
      cameTo('not_attempted', 'others_unchanged'),
      { code: 'not_attempted', catchesUp: true },
    ],
    [
      'somebody has to look at it',
      cameTo('parked', 'unknown'),
      { code: 'parked', catchesUp: false },
    ],
    [
      'its source is off: no sign-in helps',
      cameTo('not_applicable', 'source_disabled', { enabled: false }),
      { code: 'switched_off', catchesUp: false },
    ],
    [
      'its source was off, and is on again',
      cameTo('not_applicable', 'source_disabled'),
      { code: 'was_switched_off', catchesUp: true },
    ],
    [
      'it was linked since',
      staleness(standing({ outcome: null, holdsLast: false })),
      { code: 'linked_later', catchesUp: true, since: LINKED },
    ],
    [
      'no login proved it',
      cameTo('applied', 'account_locked', { holdsLast: true }),
      { code: 'unproved', catchesUp: true },
    ],
    [
      'it was changed there, and nobody captured it',
      staleness(standing({ changedThereAt: at(SOURCE_CLOCKS_MS + 1) })),
      { code: 'changed_there', catchesUp: true, since: at(SOURCE_CLOCKS_MS + 1) },
    ],
  ])('when %s', (_what, stale, expected) => {
    expect(stale).toMatchObject(expected);
  });

  test.each(staleCodes)('%s: in a sentence each, what is wrong and what to do', (code) => {
    const { says, cure } = staleRules[code];
    for (const text of [says, cure]) expect(text).toMatch(/^[A-Z].{15,}\.$/);
  });
});
