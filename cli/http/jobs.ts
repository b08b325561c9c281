import type { AuditVerification } from '../../model/audit/verification';
import type { ErrorCode } from '../../model/errors';
import type { Job, JobAccepted } from './answers';
import type { Api } from './api';

interface Wanted {
  readonly body?: unknown;
  readonly waitSeconds: number;
}

interface WantedOfSource extends Wanted {
  readonly source: string;
  readonly verb: 'check' | 'refresh' | 'look';
}

/** The result of a worker; `null` if no worker has finished the job in time. */
export type JobResult<Result> = Result | { readonly code: ErrorCode } | null;

type JobWith<Result> = Pick<Job, 'state'> & { readonly result: JobResult<Result> };

/** The longest time that the API waits before it answers. */
const LONGEST_WAIT_SECONDS = 60;

/** Starts a job for a source, which a worker carries out, and waits for its result. */
export const runJob = <Result extends object>(
  api: Api,
  { source, verb, ...wanted }: WantedOfSource,
): Promise<JobResult<Result>> => runJobAt(api, ['sources', source, verb], ['jobs'], wanted);

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
  { body, waitSeconds }: Wanted,
): Promise<JobResult<Result>> {
  const deadline = Date.now() + waitSeconds * 1000;
  const waitLeft = () => {
    const seconds = Math.ceil((deadline - Date.now()) / 1000);
    return Math.max(0, Math.min(LONGEST_WAIT_SECONDS, seconds));
  };
  const answer = await api.send<JobWith<Result> | JobAccepted>('POST', start, {
    body,
    waitSeconds: waitLeft(),
  });
  if (!('job' in answer)) return answer.result;
  for (;;) {
    const waiting = waitLeft();
    const { state, result } = await api.get<JobWith<Result>>([...jobs, answer.job], {
      waitSeconds: waiting,
    });
    if (state !== 'open') return result;
    if (waiting === 0) return null;
  }
}

/** Whether the worker could not carry out the job; the code is the reason. */
export const isRefused = (result: object): result is { readonly code: ErrorCode } =>
  'code' in result;
