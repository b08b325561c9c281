import { z } from 'zod';
import { noticeKindNames } from '../notices/kinds';
import { changeSummarySchema } from './changes';
import { time } from './fields';
import { accountOverviewSchema } from './overview';

/** What a person may read: their own accounts, changes and notices, and nothing about others. */
export const meSchema = z
  .object({
    name: z.string(),
    accounts: z.array(accountOverviewSchema),
    changes: z.array(changeSummarySchema).describe('The newest changes, the newest first.'),
    notices: z
      .array(
        z.object({
          at: time.describe('When the reported event happened.'),
          kind: z.enum(noticeKindNames),
          change: z.string().nullable(),
          delivered: z.boolean().describe('Whether at least one channel has delivered it.'),
        }),
      )
      .describe('The newest notices about the password of the person, the newest first.'),
  })
  .meta({ id: 'Me' });

export type Me = z.output<typeof meSchema>;
