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
