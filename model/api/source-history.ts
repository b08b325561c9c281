import { z } from 'zod';
import { HISTORY_HOURS } from '../change/source-history';
import { errorCode, time, timeOrNull } from './fields';

/** The last 24 hours of sources as the API returns them. */

const slotSchema = z.object({
  at: time.describe('The start of the slot.'),
  applied: z.int().describe('Accounts that got the new password.'),
  refused: z.int().describe('Accounts whose source refused it, and those that expired.'),
  waiting: z.int().describe('Accounts that waited, or were parked, at some time in the slot.'),
});

const outageSchema = z.object({
  condition: z.enum(['down', 'paused']),
  reason: errorCode,
  says: z.string(),
  since: time,
  until: timeOrNull.describe('Null while it lasts.'),
  waited: z.int().describe('Accounts that waited for the source in this time.'),
  applied: z.int().describe('How many of them hold the new password.'),
  unsettled: z.int().describe('How many of them still wait, or are parked.'),
  settledAt: timeOrNull.describe('When the last of the others was settled; null if none is.'),
});

export const sourceHistorySchema = z
  .object({
    source: z.string(),
    slots: z.array(slotSchema).describe('The oldest first; the last one has not ended.'),
    outages: z.array(outageSchema).describe('The newest first, 50 at most.'),
  })
  .meta({ id: 'SourceHistory' });

export const sourceHistoriesSchema = z.object({
  until: time.describe(`The end of the ${HISTORY_HOURS} hours.`),
  slotMinutes: z.int(),
  sources: z.array(sourceHistorySchema),
});

export type SourceHistory = z.output<typeof sourceHistorySchema>;
export type SourceHistories = z.output<typeof sourceHistoriesSchema>;
