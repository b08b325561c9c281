import {
  type HistoryRecord,
  historyEntries,
  type Outage,
  outageText,
  slotsOf,
  totalsText,
} from '../../../model/change/source-history';

const at = (time: string) => new Date(`2026-11-29T${time}Z`);
const clock = (time: Date) => time.toISOString().slice(11, 16);

describe('the entries that a worker derives from the audit', () => {
  const ofAccount = (action: string, time: string, reason: string | null = null) => ({
    ...{ action, at: at(time), reason, source: 'crm', change: 'chg_1', label: 'crm' },
  });
  const ofSource = (action: string, time: string, reason: string | null = null): HistoryRecord => ({
    ...{ action, at: at(time), reason, source: 'crm', change: null, label: null },
  });

  test('an account that waits twice for a source waits once, from its first record on', () => {
    const { waits, settled, counts } = historyEntries([
      ofAccount('account.waiting', '03:10:00', 'account_locked'),
      ofAccount('account.waiting', '03:11:00', 'unreachable'),
      ofAccount('account.applied', '03:26:00'),
    ]);
    expect(waits).toEqual([
      { change: 'chg_1', label: 'crm', source: 'crm', at: at('03:10:00'), forSource: true },
    ]);
    expect(settled).toEqual([
      { change: 'chg_1', label: 'crm', at: at('03:26:00'), state: 'applied' },
    ]);
    expect(counts).toEqual([{ source: 'crm', at: at('03:26:00'), kind: 'applied' }]);
  });

  test('an account in which the person changed the password counts as no write', () => {
    expect(historyEntries([ofAccount('account.applied', '03:26:00', 'origin')]).counts).toEqual([]);
  });

  test('records of other kinds leave no entry', () => {
    const { counts, waits, settled, steps } = historyEntries([
      ofSource('source.retry', '03:10:00'),
      ofSource('captures.stopped', '03:10:00'),
      { ...ofAccount('account.linked', '03:10:00'), change: null, label: null },
      ofAccount('account.unlock.done', '03:10:00'),
    ]);
    expect([counts, waits, settled, steps]).toEqual([[], [], [], []]);
  });

  test('a source that goes down, is paused and comes back takes three steps', () => {
    const { steps } = historyEntries([
      ofSource('source.down', '03:10:00', 'unreachable'),
      ofSource('source.paused', '03:12:00', 'source_paused'),
      ofSource('source.resumed', '03:25:00'),
    ]);
    expect(steps.map(({ began }) => began)).toEqual([
      { condition: 'down', reason: 'unreachable' },
      { condition: 'paused', reason: 'source_paused' },
      null,
    ]);
  });
});

describe('the slots of a history', () => {
  const none = { applied: 0, refused: 0, waitsBegun: 0, waitsEnded: 0 };

  test('a history has a slot for each part of the day, and shows how many accounts waited in each', () => {
    const slots = slotsOf(
      [
        { ...none, at: at('03:00:00'), waitsBegun: 41 },
        { ...none, at: at('03:30:00'), applied: 40, refused: 1, waitsEnded: 41 },
        { ...none, at: at('04:00:00'), waitsBegun: 2 },
      ],
      2,
      at('04:10:00'),
      30,
    );
    expect(slots).toHaveLength(48);
    expect(slots[0]?.at).toEqual(new Date('2026-11-28T04:30:00Z'));
    expect(slots.slice(-4)).toEqual([
      { at: at('02:30:00'), applied: 0, refused: 0, waiting: 0 },
      { at: at('03:00:00'), applied: 0, refused: 0, waiting: 41 },
      { at: at('03:30:00'), applied: 40, refused: 1, waiting: 41 },
      { at: at('04:00:00'), applied: 0, refused: 0, waiting: 2 },
    ]);
  });

  test('the counts never fall below zero, also when a person with a waiting account was deleted', () => {
    const slots = slotsOf([{ ...none, at: at('03:00:00'), waitsBegun: 5 }], 0, at('03:10:00'), 30);
    expect(Math.min(...slots.map(({ waiting }) => waiting))).toBe(0);
  });
});

describe('the words for a history', () => {
  const outage: Outage = {
    condition: 'down',
    reason: 'unreachable',
    since: at('03:10:00'),
    until: at('03:25:00'),
    waited: 41,
    applied: 41,
    unsettled: 0,
    settledAt: at('03:26:00'),
  };

  test.each([
    [{}, 'Down 03:10–03:25 (unreachable). 41 accounts waited; all were written by 03:26.'],
    [
      { waited: 1, applied: 1 },
      'Down 03:10–03:25 (unreachable). 1 account waited; it was written by 03:26.',
    ],
    [
      { waited: 0, applied: 0, settledAt: null },
      'Down 03:10–03:25 (unreachable). No account waited for it.',
    ],
    [
      { applied: 39, unsettled: 0 },
      'Down 03:10–03:25 (unreachable). 41 accounts waited; 39 were written, 2 were not written, the last by 03:26.',
    ],
    [
      { applied: 30, unsettled: 10 },
      'Down 03:10–03:25 (unreachable). 41 accounts waited; 30 were written, 1 was not written, 10 wait.',
    ],
    [
      { condition: 'paused', reason: 'source_paused', until: null, applied: 0, unsettled: 41 },
      'Paused since 03:10 (source_paused). 41 accounts wait for it.',
    ],
    [
      { until: null, waited: 0, applied: 0, settledAt: null },
      'Down since 03:10 (unreachable). No account waits for it.',
    ],
  ] as const)('an outage with %j is described in a sentence', (facts, text) => {
    expect(outageText({ ...outage, ...facts }, clock)).toBe(text);
  });

  test('the totals name what was written, refused and waited, and the outages', () => {
    const slots = [
      { at: at('03:00:00'), applied: 1, refused: 0, waiting: 41 },
      { at: at('03:30:00'), applied: 40, refused: 1, waiting: 41 },
    ];
    expect(totalsText(slots, [outage])).toBe(
      'In 24 hours: 41 accounts written, 1 refused, at most 41 waited, down once',
    );
    expect(totalsText([], [])).toBe('In 24 hours: 0 accounts written, 0 refused, none waited');
  });
});
