import { log } from '../log';

/** Work that runs when it is woken, and at intervals. */
export interface Loop {
  /** Runs the work soon, because there may be something to do. */
  wake(): void;
  /** Stops the loop. It resolves when the runs in progress have ended. */
  stop(): Promise<void>;
}

interface LoopOptions {
  /** Names the loop in the log. */
  readonly name: string;
  /** Interval at which the work runs without being woken, because a notification may be lost. */
  readonly everyMs: number;
  /** Number of runs that may overlap; the work must then claim its rows with a lock. Default 1. */
  readonly atOnce?: number;
}

const AFTER_ERROR_MS = 1_000;

/**
 * Runs `work` when woken and at intervals. `work` returns whether there may be more to do; then it runs again at
 * once. If it throws, the error is logged and the loop goes on.
 */
export function startLoop(options: LoopOptions, work: () => Promise<boolean>): Loop {
  const { name, everyMs, atOnce = 1 } = options;
  const running = new Set<Promise<void>>();
  let wakeRequested = false;
  let stopped = false;

  const run = async (): Promise<void> => {
    try {
      while (!stopped && (await work()));
    } catch (error) {
      log.warn('a background loop failed and will be tried again', { code: name, error });
      await new Promise((resolve) => setTimeout(resolve, AFTER_ERROR_MS).unref());
    }
  };
  const wake = (): void => {
    if (stopped) return;
    if (running.size >= atOnce) {
      wakeRequested = true;
      return;
    }
    const current = run().finally(() => {
      running.delete(current);
      if (wakeRequested) {
        wakeRequested = false;
        wake();
      }
    });
    running.add(current);
  };

  const timer = setInterval(wake, everyMs);
  wake();
  return {
    wake,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await Promise.all(running);
    },
  };
}
