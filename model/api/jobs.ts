import { z } from 'zod';
import { accountActions } from '../people/account-actions';
import { time, timeOrNull } from './fields';

/** Work outside a change that the API asks of a worker. */

/** How far a refresh is. */
export const jobProgressSchema = z.object({
  step: z
    .enum(['reading', 'linking'])
    .describe('`reading` the accounts of the source, or `linking` them to people.'),
  done: z.int().describe('Accounts that were read, or linked, so far.'),
  total: z.int().nullable().describe('How many there will be; null while that is unknown.'),
  perSecond: z.number().describe('Accounts per second in this step so far.'),
});

export const jobSchema = z
  .object({
    id: z.string(),
    kind: z.enum([
      'check',
      'refresh',
      'look',
      'sign-in',
      'set-credentials',
      'verify-audit',
      ...accountActions,
    ]),
    source: z.string().nullable().describe('Null for a job that concerns no source.'),
    state: z.enum(['open', 'done', 'failed']),
    result: z.unknown().describe('What the worker found or did; null while the job is open.'),
    progress: jobProgressSchema
      .nullable()
      .describe('How far the worker is; null if it has reported nothing.'),
    createdAt: time,
    finishedAt: timeOrNull,
  })
  .meta({ id: 'Job' });

export const jobAcceptedSchema = z.object({ job: z.string().describe('The id of the job.') });

export type JobProgress = z.output<typeof jobProgressSchema>;
export type Job = z.output<typeof jobSchema>;
export type JobAccepted = z.output<typeof jobAcceptedSchema>;
