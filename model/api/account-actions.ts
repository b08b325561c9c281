import { z } from 'zod';
import { accountActions, actionResults } from '../people/account-actions';
import { errorCodeOrNull } from './fields';

/** What becomes of an action of the help desk at each account. */

/** What a worker stores as the result of the job. */
export const actionOutcomeSchema = z.object({
  result: z.enum(actionResults).nullable().meta({
    description:
      '`already`: there was nothing to do. Null: no worker has carried it out yet. After ten minutes none does.',
  }),
  reason: errorCodeOrNull.describe('Why it failed; null otherwise.'),
  vendorCode: z.string().nullable().describe('The code of the source, for operators.'),
});

export const actedAccountSchema = actionOutcomeSchema
  .extend({
    job: z.string().describe('The job of the worker, for `GET /v1/jobs/{id}`.'),
    source: z.string(),
    account: z.string(),
    says: z.string(),
  })
  .meta({ id: 'ActedAccount' });

export const accountActionSchema = z
  .object({
    identity: z.string(),
    action: z.enum(accountActions),
    accounts: z.array(actedAccountSchema),
  })
  .meta({ id: 'AccountAction' });

export type AccountActionAnswer = z.output<typeof accountActionSchema>;
export type ActedAccount = z.output<typeof actedAccountSchema>;
