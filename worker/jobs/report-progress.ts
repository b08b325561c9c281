import type { JobProgress } from '../../model/api/jobs';

/** Reports how many accounts of the present step are done. */
export type ReportStep = (done: number) => Promise<void>;

/** Progress is stored at most once in this time, in milliseconds. */
const INTERVAL_MS = 1_000;

/** Makes the reports of the steps of one job. @param store stores the progress */
export function steps(store: (progress: JobProgress) => Promise<void>) {
  let reportedAt = 0;
  return {
    step(step: JobProgress['step'], total: number | null): ReportStep {
      const startedAt = performance.now();
      return async (done) => {
        const now = performance.now();
        if (now - reportedAt < INTERVAL_MS) return;
        reportedAt = now;
        const perSecond = Math.round((done * 10_000) / Math.max(now - startedAt, 1)) / 10;
        await store({ step, done, total, perSecond });
      };
    },
  };
}
