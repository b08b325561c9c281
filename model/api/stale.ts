import { z } from 'zod';
import { staleCodes, staleRules } from '../change/stale';
import { describeCodes, time } from './fields';

export const staleAccountSchema = z
  .object({
    identity: z.string(),
    source: z.string(),
    account: z.string(),
    change: z
      .string()
      .nullable()
      .describe('The last change of this person that concerns the account; null if there is none.'),
    code: z.enum(staleCodes).meta({ description: describeCodes(staleRules) }),
    says: z.string(),
    cure: z.string().describe('What to do.'),
    reason: z
      .string()
      .nullable()
      .describe('The reason that the change, or the declined capture, recorded.'),
    since: time,
  })
  .meta({ id: 'StaleAccount' });

/** The staleness of an account where a person is read. */
export const staleHereSchema = staleAccountSchema
  .omit({ identity: true, source: true, account: true })
  .meta({ id: 'Stale' });

export const stalePageSchema = z.object({
  stale: z.array(staleAccountSchema),
  next: z.string().nullable(),
});

export type StaleAccount = z.output<typeof staleAccountSchema>;
export type StalePage = z.output<typeof stalePageSchema>;
