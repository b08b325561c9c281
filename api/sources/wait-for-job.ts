import { type JobView, readJob } from '../../store/sources/jobs';
import type { Dependencies } from '../http/dependencies';
import { waitUntil } from '../http/hub';

/** Waits until a job is finished. Null if that takes longer than `waitMs`, or the client has disconnected. */
export async function waitForJob(
  { jobs, stopping }: Dependencies,
  id: string,
  waitMs: number,
  gone: AbortSignal,
): Promise<JobView | null> {
  let finished: JobView | null = null;
  const reached = (job: JobView) => {
    if (job.state !== 'open') finished = job;
    return finished !== null;
  };
  if (waitMs > 0) await waitUntil(jobs, id, reached, waitMs, [gone, stopping]);
  return finished;
}

/** Reads a job, after waiting for its end. Null if there is no such job; the open job if it does not end in time. */
export async function readFinished(
  deps: Dependencies,
  id: string,
  waitMs: number,
  gone: AbortSignal,
): Promise<JobView | null> {
  const job = await readJob(deps.db, id);
  if (job?.state !== 'open') return job;
  return (await waitForJob(deps, id, waitMs, gone)) ?? job;
}

/** A job without its requester, as the API returns it. */
export const shownJob = ({ requestedBy: _, ...job }: JobView) => job;
