import { z } from 'zod';

const DAY_MS = 86_400_000;

/** How old a password of a group may become. Lockstep reminds people; it does not lock anything. */
export const expirySchema = z
  .strictObject({
    maxAgeDays: z
      .int()
      .min(1)
      .max(3650)
      .describe('Number of days for which a password is valid after it was changed.'),
    remindDaysBefore: z
      .array(z.int().min(1).max(365))
      .max(10)
      .default([14, 7, 1])
      .describe('How many days before the password expires the person gets a notice.'),
  })
  .refine(
    ({ maxAgeDays, remindDaysBefore }) => remindDaysBefore.every((days) => days < maxAgeDays),
    {
      path: ['remindDaysBefore'],
      message: 'each reminder must come after the change: give fewer days than maxAgeDays',
    },
  );

export type ExpirySettings = z.output<typeof expirySchema>;

/** When a password that was changed at this time expires; null when the time is unknown. */
export const expiresAt = (
  { maxAgeDays }: Pick<ExpirySettings, 'maxAgeDays'>,
  changedAt: Date | null,
): Date | null => (changedAt === null ? null : new Date(changedAt.getTime() + maxAgeDays * DAY_MS));
