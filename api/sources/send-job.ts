import { z } from 'zod';
import { jobAcceptedSchema, jobSchema } from '../../model/api/jobs';
import { type Job, requestJob } from '../../store/sources/jobs';
import type { Dependencies } from '../http/dependencies';
import { appliedPreference, type Preference, preferHeader } from '../http/prefer';
import { shownJob, waitForJob } from './wait-for-job';

export const jobHeaders = z.object({ prefer: preferHeader });

export const jobAnswers = {
  200: { says: 'The job, finished within the requested wait.', schema: jobSchema },
  202: {
    says: 'The job is queued for a worker.',
    schema: jobAcceptedSchema,
    headers: { location: 'The URL of the job.' },
  },
} as const;

/**
 * Queues a job for a worker and waits for it as long as the client prefers.
 * @param jobs the path under which the client reads the job
 */
export async function sendJob(
  deps: Dependencies,
  job: Omit<Job, 'id'>,
  preference: Preference,
  gone: AbortSignal,
  jobs = '/v1/jobs',
) {
  const id = await requestJob(deps.db, job);
  const headers = {
    location: `${deps.settings.publicUrl}${jobs}/${id}`,
    ...appliedPreference(preference),
  };
  const finished = await waitForJob(deps, id, preference.waitMs, gone);
  return finished === null
    ? { status: 202 as const, body: { job: id }, headers }
    : { status: 200 as const, body: shownJob(finished), headers };
}
