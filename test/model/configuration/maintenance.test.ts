import fc from 'fast-check';
import { limitsOf } from '../../../model/configuration/limits';
import {
  type MaintenanceWindow,
  maintenanceEnd,
  maintenanceWindowSchema,
  weekdays,
} from '../../../model/configuration/maintenance';

const window = (given: Partial<MaintenanceWindow>): MaintenanceWindow =>
  maintenanceWindowSchema.parse({ from: '02:00', to: '04:00', ...given });

const endAt = (windows: readonly MaintenanceWindow[], at: string) =>
  maintenanceEnd(windows, new Date(at))?.toISOString() ?? null;

describe('a maintenance window', () => {
  // 29 November 2026 is a Sunday.
  test.each([
    ['before it begins', {}, '2026-11-29T01:59:59.999Z', null],
    ['at its beginning', {}, '2026-11-29T02:00:00Z', '2026-11-29T04:00:00.000Z'],
    ['in its last moment', {}, '2026-11-29T03:59:59.999Z', '2026-11-29T04:00:00.000Z'],
    ['at its end', {}, '2026-11-29T04:00:00Z', null],
    ['on a day of it', { days: ['sun'] }, '2026-11-29T03:00:00Z', '2026-11-29T04:00:00.000Z'],
    ['on another day', { days: ['mon', 'sat'] }, '2026-11-29T03:00:00Z', null],
    [
      'before midnight',
      { days: ['sat'], from: '22:30' },
      '2026-11-28T23:00:00Z',
      '2026-11-29T04:00:00.000Z',
    ],
    [
      'after the midnight after its day',
      { days: ['sat'], from: '22:30' },
      '2026-11-29T03:00:00Z',
      '2026-11-29T04:00:00.000Z',
    ],
    [
      'after the midnight before its day',
      { days: ['sun'], from: '22:30' },
      '2026-11-29T03:00:00Z',
      null,
    ],
    [
      'in another time zone',
      { timeZone: 'Asia/Kolkata' },
      '2026-11-28T21:00:00Z',
      '2026-11-28T22:30:00.000Z',
    ],
    [
      'in the night in which the clock is put forward',
      { from: '01:30', timeZone: 'Europe/Berlin' },
      '2027-03-28T00:45:00Z',
      '2027-03-28T02:00:00.000Z',
    ],
    [
      'in the night in which the clock is put back',
      { from: '01:30', timeZone: 'Europe/Berlin' },
      '2026-10-25T00:45:00Z',
      '2026-10-25T03:00:00.000Z',
    ],
  ] as const)('that is asked %s has this end', (_when, given, at, end) => {
    expect(endAt([window(given as Partial<MaintenanceWindow>)], at)).toBe(end);
  });

  test('that follows another one without a gap, or overlaps it, ends both', () => {
    const windows = [
      window({ from: '03:30', to: '05:00' }),
      window({}),
      window({ from: '05:00', to: '05:10' }),
    ];
    expect(endAt(windows, '2026-11-29T02:30:00Z')).toBe('2026-11-29T05:10:00.000Z');
    expect(
      endAt(
        [window({ from: '00:00', to: '12:00' }), window({ from: '12:00', to: '00:00' })],
        '2026-11-29T02:30:00Z',
      ),
    ).not.toBeNull();
  });

  test('of any kind ends after the moment that it contains, with the same end for each moment until then', () => {
    const time = fc
      .record({ hour: fc.integer({ min: 0, max: 23 }), minute: fc.integer({ min: 0, max: 59 }) })
      .map(({ hour, minute }) => `${`${hour}`.padStart(2, '0')}:${`${minute}`.padStart(2, '0')}`);
    const windows = fc
      .record({
        days: fc.subarray([...weekdays], { minLength: 1 }),
        from: time,
        to: time,
        timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Apia'),
      })
      .filter(({ from, to }) => from !== to);
    const moments = fc.date({
      min: new Date('2026-01-01T00:00:00Z'),
      max: new Date('2028-01-01T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(windows, moments, (given, at) => {
        const end = maintenanceEnd([given], at);
        if (end === null) return;
        expect(end.getTime()).toBeGreaterThan(at.getTime());
        expect(end.getTime() - at.getTime()).toBeLessThanOrEqual(26 * 3_600_000);
        const between = new Date((at.getTime() + end.getTime()) / 2);
        expect(maintenanceEnd([given], between)).toEqual(end);
      }),
    );
  });

  test.each([
    [{ from: '24:00' }, 'is not a time of day'],
    [{ to: '02:00' }, 'is the time at which the window begins'],
    [{ timeZone: 'Europe/Berln' }, 'is not a time zone'],
  ])('that is not possible is refused with its reason: %j', (given, reason) => {
    const { error } = maintenanceWindowSchema.safeParse({ from: '02:00', to: '04:00', ...given });
    expect(error?.issues[0]?.message).toContain(reason);
  });
});

describe('the limits of a source', () => {
  test.each([
    [{}, null],
    [{ maxAtOnce: 3 }, { perWindow: null, windowMs: 0, atOnce: 3 }],
    [{ maxPerSecond: 20 }, { perWindow: 20, windowMs: 1000, atOnce: null }],
    [{ maxPerSecond: 0.1 }, { perWindow: 1, windowMs: 10_000, atOnce: null }],
    [{ maxPerSecond: 1.5 }, { perWindow: 1, windowMs: 667, atOnce: null }],
  ])('count accounts in a window that never exceeds the rate: %j', (given, limits) => {
    expect(limitsOf(given)).toEqual(limits);
  });
});
