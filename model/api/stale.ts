import { z } from 'zod';
import { staleCodes, staleRules } from '../change/stale';
import { describeCodes, time } from './fields';

export const staleAccountSchema = z
  .object({
    identity: z.string(),
    source: z.string(),
    account: z.string(),
    change: z.string().describe('The last change of this person that concerns the account.'),
    code: z.enum(staleCodes).meta({ description: describeCodes(staleRules) }),
    says: z.string(),
    cure: z.string().describe('What to do.'),
    reason: z.string().nullable().describe('The reason that the change recorded.'),
    since: time,
  })
  .meta({ id: 'StaleAccount' });

export const stalePageSchema = z.object({
  stale: z.array(staleAccountSchema),
  next: z.string().nullable(),
});

export type StaleAccount = z.output<typeof staleAccountSchema>;
export type StalePage = z.output<typeof stalePageSchema>;
