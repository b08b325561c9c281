import type { JobView } from '../../store/sources/jobs';
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

/** Returns a job after waiting for its end; the open job if it does not end in time. */
export async function finishedOr(
  deps: Dependencies,
  job: JobView,
  waitMs: number,
  gone: AbortSignal,
): Promise<JobView> {
  if (job.state !== 'open') return job;
  return (await waitForJob(deps, job.id, waitMs, gone)) ?? job;
}
