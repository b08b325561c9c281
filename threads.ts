import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a thread, without the environment of the process. Of the flags of the process it gets only the modules to
 * preload: a flag such as `--max-old-space-size` holds for the whole process, and Node starts no thread that names one.
 */
export const startThread = (
  file: string,
  options: Pick<WorkerOptions, 'workerData' | 'transferList'> = {},
): Worker => new Worker(file, { ...options, env: {}, execArgv: preloadsIn(process.execArgv) });

const PRELOAD = /^(-r|--require|--import)$/;

const preloadsIn = (flags: readonly string[]): string[] =>
  flags.filter(
    (flag, at) =>
      PRELOAD.test(flag) || PRELOAD.test(flags[at - 1] ?? '') || /^--(require|import)=/.test(flag),
  );
