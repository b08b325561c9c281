import { z } from 'zod';

/** What a refresh does about linked accounts that the source no longer lists. */
export const leaversSchema = z.strictObject({
  unlinkAfterDays: z
    .int()
    .min(1)
    .max(3650)
    .optional()
    .describe(
      'Unlinks an account that complete lists have not shown for this many days. Without it, accounts are reported and stay linked.',
    ),
  maxLostPercent: z
    .int()
    .min(0)
    .max(100)
    .default(10)
    .describe(
      'The largest share of the linked accounts that may be missing in a list for the first time, rounded up to whole accounts. A list that lost more is reported, and nothing is unlinked by it. The same holds for an empty list.',
    ),
});

export type LeaversSettings = z.output<typeof leaversSchema>;

/** The settings of a source without any. */
export const defaultLeavers: LeaversSettings = leaversSchema.parse({});

/** How a complete list differs from the links of its source. */
export interface LostLinks {
  /** Accounts in the list. */
  readonly listed: number;
  /** Links whose account was in the list before, as far as it is known. */
  readonly linked: number;
  /** Those of them whose account is missing in this list. */
  readonly lost: number;
}

/**
 * Whether so much is missing in a complete list that the list is probably wrong, for example because the service account
 * lost rights. Accounts that were missing before do not count.
 */
export const isSuspicious = (
  { listed, linked, lost }: LostLinks,
  { maxLostPercent }: LeaversSettings,
): boolean => listed === 0 || lost > Math.ceil((linked * maxLostPercent) / 100);
