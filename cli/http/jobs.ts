import type { ErrorCode } from '../../model/errors';
import type { Api } from './api';

interface Wanted {
  readonly source: string;
  readonly verb: 'check' | 'refresh' | 'look';
  readonly body?: unknown;
  readonly waitSeconds: number;
}

/** `null`: no worker has finished it in time. */
export type JobResult<Result> = Result | { readonly code: ErrorCode } | null;

interface Job<Result> {
  readonly id: string;
  readonly state: 'open' | 'done' | 'failed';
  readonly result: JobResult<Result>;
}

const LONGEST_WAIT_SECONDS = 60;

/** Has the worker do something with a source, and waits for what comes of it. */
export async function runJob<Result extends object>(
  api: Api,
  { source, verb, body, waitSeconds }: Wanted,
): Promise<JobResult<Result>> {
  const deadline = Date.now() + waitSeconds * 1000;
  const left = () => {
    const seconds = Math.ceil((deadline - Date.now()) / 1000);
    return Math.max(0, Math.min(LONGEST_WAIT_SECONDS, seconds));
  };
  const answer = await api.send<Job<Result> | { readonly job: string }>(
    'POST',
    ['sources', source, verb],
    { body, waitSeconds: left() },
  );
  if (!('job' in answer)) return answer.result;
  for (;;) {
    const waiting = left();
    const { state, result } = await api.get<Job<Result>>(['jobs', answer.job], {
      waitSeconds: waiting,
    });
    if (state !== 'open') return result;
    if (waiting === 0) return null;
  }
}

export const isRefused = (result: object): result is { readonly code: ErrorCode } =>
  'code' in result;
