import { isSuspicious, leaversSchema } from '../../../model/people/leavers';
import {
  nextRefreshAt,
  RETRY_AFTER_MS,
  refreshScheduleSchema,
} from '../../../model/people/refresh-schedule';

const at = (text: string) => new Date(`2026-11-29T${text}:00.000Z`);
const now = at('12:00');
const finished = (requested: Date, failed = false) => ({
  requestedAt: requested,
  finishedAt: requested,
  failed,
});

describe('the schedule of refreshes', () => {
  test('a source that was never refreshed is due at once, and one that is being refreshed is not', () => {
    expect(nextRefreshAt({ everyHours: 24 }, null, now)).toEqual(now);
    const open = { requestedAt: at('01:00'), finishedAt: null, failed: false };
    expect(nextRefreshAt({ everyHours: 1 }, open, now)).toBeNull();
  });

  test('a refresh at a time of the day comes once after that time, in UTC', () => {
    const daily = { at: '02:30' };
    expect(nextRefreshAt(daily, finished(at('02:29')), now)).toEqual(at('02:30'));
    const tomorrow = new Date('2026-11-30T02:30:00.000Z');
    expect(nextRefreshAt(daily, finished(at('02:30')), now)).toEqual(tomorrow);
    expect(nextRefreshAt(daily, finished(at('09:00')), now)).toEqual(tomorrow);
  });

  test('a failed refresh is repeated soon, but never later than the next regular one', () => {
    const failed = finished(at('11:00'), true);
    const soon = new Date(at('11:00').getTime() + RETRY_AFTER_MS);
    expect(nextRefreshAt({ everyHours: 24 }, failed, now)).toEqual(soon);
    expect(nextRefreshAt({ at: '11:05' }, failed, now)).toEqual(at('11:05'));
  });

  test('a schedule has either an interval or a time of the day', () => {
    const isValid = (schedule: object) => refreshScheduleSchema.safeParse(schedule).success;
    expect(
      [{}, { everyHours: 1, at: '01:00' }, { at: '24:00' }, { everyHours: 0 }].map(isValid),
    ).toEqual([false, false, false, false]);
    expect([{ everyHours: 1 }, { at: '23:59' }].map(isValid)).toEqual([true, true]);
  });
});

describe('the limit of lost accounts', () => {
  const settings = leaversSchema.parse({});
  const lost = (count: number, linked: number, listed = linked) =>
    isSuspicious({ listed, linked, lost: count }, settings);

  test('a list may lose a tenth of the linked accounts, rounded up to whole accounts', () => {
    expect([lost(1, 5), lost(2, 11), lost(10, 100)]).toEqual([false, false, false]);
    expect([lost(2, 5), lost(3, 11), lost(11, 100)]).toEqual([true, true, true]);
  });

  test('an empty list is suspicious whatever the limit is', () => {
    expect(isSuspicious({ listed: 0, linked: 1, lost: 1 }, { maxLostPercent: 100 })).toBe(true);
  });
});
