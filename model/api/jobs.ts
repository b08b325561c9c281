import { z } from 'zod';
import { accountActions } from '../people/account-actions';
import { time, timeOrNull } from './fields';

/** Work outside a change that the API asks of a worker. */

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
    createdAt: time,
    finishedAt: timeOrNull,
  })
  .meta({ id: 'Job' });

export const jobAcceptedSchema = z.object({ job: z.string().describe('The id of the job.') });

export type Job = z.output<typeof jobSchema>;
export type JobAccepted = z.output<typeof jobAcceptedSchema>;
