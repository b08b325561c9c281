import type { CandidateCheck } from '../../model/api/job-results';
import type { AuditVerification } from '../../model/audit/verification';
import type { ErrorCode } from '../../model/errors';
import type { Job, JobAccepted, JobProgress } from './answers';
import type { Api } from './api';

interface Wanted {
  readonly body?: unknown;
  readonly waitSeconds: number;
  /** Is called with the progress of the job while it is not finished, each time it has changed. */
  readonly onProgress?: (progress: JobProgress) => void;
}

interface WantedOfSource extends Wanted {
  readonly source: string;
  readonly verb: 'check' | 'refresh' | 'look';
}

/** The result of a worker; `null` if no worker has finished the job in time. */
export type JobResult<Result> = Result | { readonly code: ErrorCode } | null;

type JobWith<Result> = Pick<Job, 'state' | 'progress'> & { readonly result: JobResult<Result> };

/** The longest time that the API waits before it answers. */
const LONGEST_WAIT_SECONDS = 60;
/** The interval at which the progress of a job is read. */
const PROGRESS_SECONDS = 2;

/** Starts a job for a source, which a worker carries out, and waits for its result. */
export const runJob = <Result extends object>(
  api: Api,
  { source, verb, ...wanted }: WantedOfSource,
): Promise<JobResult<Result>> => runJobAt(api, ['sources', source, verb], ['jobs'], wanted);

/** Has a worker check a source that is not configured, and waits for its result. */
export const runCandidateCheck = (api: Api, wanted: Wanted): Promise<JobResult<CandidateCheck>> =>
  runJobAt(api, ['sources', 'check'], ['jobs'], wanted);

/** Has a worker verify the audit chain, and waits for its result. */
export const runVerification = (
  api: Api,
  waitSeconds: number,
): Promise<JobResult<AuditVerification>> =>
  runJobAt(api, ['audit', 'verifications'], ['audit', 'verifications'], { waitSeconds });

async function runJobAt<Result extends object>(
  api: Api,
  start: readonly string[],
  jobs: readonly string[],
  { body, waitSeconds, onProgress }: Wanted,
): Promise<JobResult<Result>> {
  const deadline = Date.now() + waitSeconds * 1000;
  const waitLeft = () => {
    const seconds = Math.ceil((deadline - Date.now()) / 1000);
    return Math.max(0, Math.min(onProgress ? PROGRESS_SECONDS : LONGEST_WAIT_SECONDS, seconds));
  };
  const answer = await api.send<JobWith<Result> | JobAccepted>('POST', start, {
    body,
    waitSeconds: waitLeft(),
  });
  if (!('job' in answer)) return answer.result;
  let shown = '';
  for (;;) {
    const waiting = waitLeft();
    const { state, result, progress } = await api.get<JobWith<Result>>([...jobs, answer.job], {
      waitSeconds: waiting,
    });
    if (state !== 'open') return result;
    if (progress !== null && shown !== JSON.stringify(progress)) {
      shown = JSON.stringify(progress);
      onProgress?.(progress);
    }
    if (waiting === 0) return null;
  }
}

/** Whether the worker could not carry out the job; the code is the reason. */
export const isRefused = (result: object): result is { readonly code: ErrorCode } =>
  'code' in result;
