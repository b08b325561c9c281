import type { ActedShown } from '../../console/desk/people';
import { actionOutcomeSchema } from '../../model/api/account-actions';
import type { Job } from '../../model/api/jobs';
import { actionSays, isAccountAction } from '../../model/people/account-actions';
import { asHttpProblem } from '../http/problem';
import type { PageApi } from './call';

/** A person has fewer accounts than this in sources that can be acted on. */
const MOST_JOBS = 50;

/**
 * What has become of the actions that the help desk has ordered. The address has the ids of their jobs, so loading the page
 * again shows their newest state, and repeats nothing. Jobs of other users are left out.
 * @param ids the ids of the jobs, with dots between them
 */
export async function readActions(api: PageApi, ids: string): Promise<ActedShown[]> {
  const wanted = ids === '' ? [] : ids.split('.').slice(0, MOST_JOBS);
  const jobs = await Promise.all(wanted.map((id) => readJob(api, id)));
  return jobs.flatMap((job) => {
    if (job === null || !isAccountAction(job.kind)) return [];
    const outcome = actionOutcomeSchema.safeParse(job.result);
    const isOpen = job.state === 'open';
    const none = { result: isOpen ? null : ('failed' as const), reason: lostReason(isOpen) };
    const { result, reason } = outcome.success ? outcome.data : none;
    const says = actionSays(job.kind, result, reason);
    return [{ source: job.source ?? '', says, at: job.createdAt, result }];
  });
}

/** The job failed by a bug, and the log of the worker has the error. */
const lostReason = (isOpen: boolean) => (isOpen ? null : ('lockstep_failed' as const));

async function readJob(api: PageApi, id: string): Promise<Job | null> {
  try {
    return await api.get<Job>('/v1/jobs/{id}', { params: { id } });
  } catch (error) {
    const { code } = asHttpProblem(error);
    if (['not_found', 'forbidden', 'request_invalid'].includes(code)) return null;
    throw error;
  }
}
