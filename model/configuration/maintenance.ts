import { z } from 'zod';

/** Maintenance windows: times of the week, in a time zone, in which Lockstep writes nothing to a source. */

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'is not a time of day; write it as 02:30');

const isTimeZone = (name: string): boolean => {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
};

export const maintenanceWindowSchema = z
  .strictObject({
    days: z
      .array(z.enum(weekdays))
      .min(1)
      .optional()
      .describe('The days on which the window begins. Without it, it begins every day.'),
    from: timeOfDay.describe('When the window begins, as `22:30`.'),
    to: timeOfDay.describe('When it ends, as `04:00`. A time before `from` is on the next day.'),
    timeZone: z
      .string()
      .refine(isTimeZone, 'is not a time zone; write it as Europe/Berlin')
      .default('UTC')
      .describe('The time zone of `from` and `to`, as `Europe/Berlin`.'),
  })
  .refine(({ from, to }) => from !== to, {
    path: ['to'],
    message: 'is the time at which the window begins; set a later one',
  });

export type MaintenanceWindow = z.infer<typeof maintenanceWindowSchema>;

const DAY_MINUTES = 1440;
const MINUTE_MS = 60_000;

/** Windows that follow each other without a gap count as one up to this length, so that the search for its end ends. */
const LONGEST_MS = 14 * DAY_MINUTES * MINUTE_MS;

/**
 * The end of the maintenance window in which a moment lies; null when it lies in none. Windows that overlap, or follow
 * each other without a gap, are one.
 */
export function maintenanceEnd(windows: readonly MaintenanceWindow[], at: Date): Date | null {
  let end = at;
  for (;;) {
    const later = windows
      .map((window) => endOf(window, end))
      .filter((found) => found !== null)
      .find((found) => found > end);
    if (later === undefined) return end === at ? null : end;
    end = later;
    if (end.getTime() - at.getTime() > LONGEST_MS) return end;
  }
}

function endOf({ days, from, to, timeZone }: MaintenanceWindow, at: Date): Date | null {
  const wall = wallClock(timeZone, at);
  const [begin, finish] = [minutesOf(from), minutesOf(to)];
  const overMidnight = finish < begin;
  const begins = (day: number) => days?.includes(weekdays[(day + 7) % 7] as Weekday) ?? true;
  const today = begins(wall.day) && wall.minutes >= begin;
  if (today && (overMidnight || wall.minutes < finish))
    return atWall(timeZone, at, finish + (overMidnight ? DAY_MINUTES : 0) - wall.minutes);
  if (overMidnight && begins(wall.day - 1) && wall.minutes < finish)
    return atWall(timeZone, at, finish - wall.minutes);
  return null;
}

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** The moment at which the wall clock shows this many minutes more. It may have been put forward or back before. */
function atWall(timeZone: string, at: Date, minutes: number): Date {
  const wanted = wallClock(timeZone, at).ms + minutes * MINUTE_MS;
  const guess = Math.round(at.getTime() + minutes * MINUTE_MS);
  const moment = guess + wanted - wallClock(timeZone, new Date(guess)).ms;
  return new Date(Math.round(moment / MINUTE_MS) * MINUTE_MS);
}

interface WallClock {
  /** Days since Monday. */
  readonly day: number;
  /** Minutes since midnight, with the seconds as a fraction. */
  readonly minutes: number;
  /** What the wall clock shows, as if it showed UTC, in milliseconds since 1970. */
  readonly ms: number;
}

function wallClock(timeZone: string, at: Date): WallClock {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const ms =
    Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    ) +
    (at.getTime() % 1000);
  const day = (new Date(ms).getUTCDay() + 6) % 7;
  return { day, minutes: (ms % (DAY_MINUTES * MINUTE_MS)) / MINUTE_MS, ms };
}

const formatOf = (timeZone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
