import { log } from '../log';

export interface Loop {
  /** There may be something to do. */
  wake(): void;
  /** Ends after what is running. */
  stop(): Promise<void>;
}

interface LoopOptions {
  /** For the log. */
  readonly name: string;
  /** It also looks by itself: a notification may be lost. */
  readonly everyMs: number;
  /** Runs that may overlap, where the work is taken with a lock. */
  readonly atOnce?: number;
}

const AFTER_ERROR_MS = 1_000;

/** Runs `work` when woken and now and then; again at once while it says that there is more. */
export function startLoop(options: LoopOptions, work: () => Promise<boolean>): Loop {
  const { name, everyMs, atOnce = 1 } = options;
  const running = new Set<Promise<void>>();
  let wanted = false;
  let stopped = false;

  const run = async (): Promise<void> => {
    try {
      while (!stopped && (await work()));
    } catch (error) {
      log.warn('a loop of the worker will try again', { code: name, error });
      await new Promise((resolve) => setTimeout(resolve, AFTER_ERROR_MS).unref());
    }
  };
  const wake = (): void => {
    if (stopped) return;
    if (running.size >= atOnce) {
      wanted = true;
      return;
    }
    const one = run().finally(() => {
      running.delete(one);
      if (wanted) {
        wanted = false;
        wake();
      }
    });
    running.add(one);
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
