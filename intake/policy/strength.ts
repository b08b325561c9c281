import { Counter } from 'prom-client';
import { log } from '../../log';
import type { Secret } from '../../model/passwords/secret';
import { zeroableBytes } from '../../model/passwords/zeroable';
import { startThread } from '../../threads';
import type { Answer, Question } from './strength-thread';

/** Estimates how hard passwords are to guess, in a thread, so that the event loop is never blocked. */
export interface StrengthEstimator {
  /** Returns 0 (guessed at once) to 4; null when the estimate took too long. */
  estimate(password: Secret): Promise<number | null>;
  close(): Promise<void>;
}

export interface StrengthTimes {
  /** Maximum time of one estimate. */
  readonly deadlineMs: number;
  /** Maximum time until a new thread has loaded its dictionaries. */
  readonly startMs: number;
  /** Time after the last estimate until the thread, which may still hold passwords, is replaced by a new one. */
  readonly quietMs: number;
}

const TIMES: StrengthTimes = { deadlineMs: 200, startMs: 5_000, quietMs: 1_000 };

const estimates = new Counter({
  name: 'lockstep_strength_estimates_total',
  help: 'Number of password strength estimates; result is in_time, or left_out when the estimate took too long.',
  labelNames: ['result'],
});

/** Opens an estimator. The thread and its dictionaries are loaded with the first password. */
export function openStrengthEstimator(times: StrengthTimes = TIMES): StrengthEstimator {
  let thread: Thread | null = null;
  let quiet: NodeJS.Timeout | undefined;

  const replace = () => {
    const old = thread;
    thread = startEstimating();
    void old?.end();
  };

  return {
    async estimate(password) {
      clearTimeout(quiet);
      const began = performance.now();
      thread ??= startEstimating();
      const mine = thread;
      const ready = await within(times.startMs, mine.ready);
      const strength = ready === true ? await within(times.deadlineMs, mine.ask(password)) : null;
      estimates.inc({ result: strength === null ? 'left_out' : 'in_time' });
      if (strength === null) {
        const durationMs = Math.round(performance.now() - began);
        log.warn(
          'the strength of a password was not estimated in time, so the rule minStrength was skipped',
          {
            durationMs,
          },
        );
        // The thread may stay busy. Replacing it also ends the estimates that wait for it, as too late.
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
  /** Resolves with true once the dictionaries are loaded, with false when the thread could not start. */
  readonly ready: Promise<boolean>;
  /** Resolves with null when the thread ended before it answered. */
  ask(password: Secret): Promise<number | null>;
  end(): Promise<void>;
}

function startEstimating(): Thread {
  const worker = startThread(require.resolve('./strength-thread'));
  worker.unref();
  const pending = new Map<number, (strength: number | null) => void>();
  let last = 0;
  let ended = false;
  const ready = new Promise<boolean>((resolve) => {
    worker.once('message', () => resolve(true));
    worker.once('exit', () => resolve(false));
  });
  worker.on('message', (message: Answer | 'ready') => {
    if (message === 'ready') return;
    pending.get(message.id)?.(message.strength);
    pending.delete(message.id);
  });
  worker.on('error', (error) =>
    log.error('the thread that estimates password strengths failed; a new one is started', {
      error,
    }),
  );
  worker.once('exit', () => {
    ended = true;
    for (const resolve of pending.values()) resolve(null);
  });
  return {
    ready,
    ask: (password) =>
      new Promise((resolve) => {
        if (ended) return resolve(null);
        const id = ++last;
        pending.set(id, resolve);
        // The copy is transferred, so that the thread zeroes the only bytes of it.
        const bytes = password.use((lent) => {
          const copy = zeroableBytes(lent.length);
          copy.set(lent);
          return copy;
        });
        worker.postMessage({ id, bytes } satisfies Question, [bytes.buffer as ArrayBuffer]);
      }),
    async end() {
      await worker.terminate();
    },
  };
}

/** The result, or null when it takes longer than `ms` milliseconds. */
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
