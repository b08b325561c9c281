import { z } from 'zod';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A refresh that failed is tried again after this time, in milliseconds, if its next one is later. */
export const RETRY_AFTER_MS = HOUR_MS / 4;

/** When a worker refreshes a source without being asked. */
export const refreshScheduleSchema = z
  .strictObject({
    everyHours: z
      .int()
      .min(1)
      .max(744)
      .optional()
      .describe('Refreshes the source when the last refresh is this many hours old.'),
    at: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'give a time of the day in UTC, such as 02:30')
      .optional()
      .describe('Refreshes the source once a day at this time, in UTC, such as `02:30`.'),
  })
  .refine(({ everyHours, at }) => (everyHours === undefined) !== (at === undefined), {
    message: 'set either everyHours or at',
  });

export type RefreshSchedule = z.output<typeof refreshScheduleSchema>;

/** The newest refresh of a source that was no preview. */
export interface LastRefresh {
  readonly requestedAt: Date;
  /** Null while it is open. */
  readonly finishedAt: Date | null;
  /** True when it did not read every account of the source. */
  readonly failed: boolean;
}

/**
 * When a source is refreshed next.
 * @param last null when it was never refreshed; then it is due at once
 * @returns null while a refresh is open
 */
export function nextRefreshAt(
  schedule: RefreshSchedule,
  last: LastRefresh | null,
  now: Date,
): Date | null {
  if (last === null) return now;
  if (last.finishedAt === null) return null;
  const regular = nextAfter(schedule, last.requestedAt);
  const retry = new Date(last.finishedAt.getTime() + RETRY_AFTER_MS);
  return last.failed && retry < regular ? retry : regular;
}

function nextAfter({ everyHours, at = '00:00' }: RefreshSchedule, last: Date): Date {
  if (everyHours !== undefined) return new Date(last.getTime() + everyHours * HOUR_MS);
  const sameDay = new Date(`${last.toISOString().slice(0, 10)}T${at}:00.000Z`);
  return sameDay > last ? sameDay : new Date(sameDay.getTime() + DAY_MS);
}
