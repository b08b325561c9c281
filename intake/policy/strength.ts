import { Worker } from 'node:worker_threads';
import { Counter } from 'prom-client';
import { log } from '../../log';
import type { Secret } from '../../model/passwords/secret';
import { zeroableBytes } from '../../model/passwords/zeroable';
import type { Answer, Question } from './strength-thread';

/** Estimates how hard passwords are to guess, beside the event loop. */
export interface StrengthEstimator {
  /** 0 (guessed at once) to 4; null when that took too long. */
  estimate(password: Secret): Promise<number | null>;
  close(): Promise<void>;
}

export interface StrengthTimes {
  /** For one estimate. */
  readonly deadlineMs: number;
  /** Until the dictionaries are loaded. */
  readonly startMs: number;
  /** After the last estimate, until the thread that has seen passwords is replaced by one that has not. */
  readonly quietMs: number;
}

const TIMES: StrengthTimes = { deadlineMs: 200, startMs: 5_000, quietMs: 1_000 };

const estimates = new Counter({
  name: 'lockstep_strength_estimates_total',
  help: 'Estimates of the strength of a password, by whether they came in time.',
  labelNames: ['result'],
});

/** Loads nothing before the first password. */
export function openStrengthEstimator(
  times: StrengthTimes = TIMES,
  execArgv: string[] = process.execArgv,
): StrengthEstimator {
  let thread: Thread | null = null;
  let quiet: NodeJS.Timeout | undefined;

  const replace = () => {
    const old = thread;
    thread = startThread(execArgv);
    void old?.end();
  };

  return {
    async estimate(password) {
      clearTimeout(quiet);
      const began = performance.now();
      thread ??= startThread(execArgv);
      const mine = thread;
      const ready = await within(times.startMs, mine.ready);
      const strength = ready === true ? await within(times.deadlineMs, mine.ask(password)) : null;
      estimates.inc({ result: strength === null ? 'left_out' : 'in_time' });
      if (strength === null) {
        const durationMs = Math.round(performance.now() - began);
        log.warn('the strength of a password was not estimated in time', { durationMs });
        // It may be busy for long; whoever waits for it too is told the same.
        if (thread === mine) replace();
      } else {
        clearTimeout(quiet);
        quiet = setTimeout(replace, times.quietMs).unref();
      }
      return strength;
    },
    async close() {
      clearTimeout(quiet);
      await thread?.end();
    },
  };
}

interface Thread {
  /** False when it cannot be had. */
  readonly ready: Promise<boolean>;
  /** Null when it ended before it answered. */
  ask(password: Secret): Promise<number | null>;
  end(): Promise<void>;
}

function startThread(execArgv: string[]): Thread {
  const worker = new Worker(require.resolve('./strength-thread'), { env: {}, execArgv });
  worker.unref();
  const asked = new Map<number, (strength: number | null) => void>();
  let last = 0;
  let ended = false;
  const ready = new Promise<boolean>((resolve) => {
    worker.once('message', () => resolve(true));
    worker.once('exit', () => resolve(false));
  });
  worker.on('message', (message: Answer | 'ready') => {
    if (message === 'ready') return;
    asked.get(message.id)?.(message.strength);
    asked.delete(message.id);
  });
  worker.on('error', (error) => log.error('strengths cannot be estimated', { error }));
  worker.once('exit', () => {
    ended = true;
    for (const tell of asked.values()) tell(null);
  });
  return {
    ready,
    ask: (password) =>
      new Promise((resolve) => {
        if (ended) return resolve(null);
        const id = ++last;
        asked.set(id, resolve);
        // Transferred, not copied: the thread zeroes the only bytes that there are.
        const bytes = password.use((own) => {
          const copy = zeroableBytes(own.length);
          copy.set(own);
          return copy;
        });
        worker.postMessage({ id, bytes } satisfies Question, [bytes.buffer as ArrayBuffer]);
      }),
    async end() {
      await worker.terminate();
    },
  };
}

/** Null when it takes longer. */
async function within<T>(ms: number, result: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}
