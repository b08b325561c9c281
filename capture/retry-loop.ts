import { setTimeout as sleep } from 'node:timers/promises';

/** Work that is repeated, one run at a time, until the process stops it. */
export interface RetryLoop {
  /** Starts the next run now because there may be something to do. Ignored during the wait after a failure. */
  wake(): void;
  /** Starts the next run now, even during the wait after a failure, because the cause may be gone. */
  hurry(): void;
  /** Stops the loop and waits for the current run to end. */
  stop(): Promise<void>;
}

/** How often a loop runs, and how long it waits after failures. */
export interface Pace {
  /** Wait after a successful run that left nothing to do, in milliseconds. */
  readonly everyMs: number;
  /** Waits after a failure: the first, which doubles with each further failure, and the longest. */
  readonly waitMs: { readonly first: number; readonly max: number };
  /** Random number from 0 to 1, which spreads the retries of several relays. */
  readonly random: () => number;
}

interface Work {
  /** @returns whether there is more to do at once */
  once(): Promise<boolean>;
  /** @param failures consecutive failures, including this one */
  failed(error: unknown, failures: number): void;
  /** The first success after one or more failures. */
  recovered(failures: number): void;
}

const MAX_DOUBLINGS = 20;

/** Runs `work` again and again, with a wait in between that grows after failures. */
export function startRetryLoop(work: Work, { everyMs, waitMs, random }: Pace): RetryLoop {
  /** Ends the wait before the next attempt. */
  let pause = new AbortController();
  let failures = 0;
  let stopped = false;

  /** @returns milliseconds to wait before the next attempt */
  async function attempt(): Promise<number> {
    try {
      const more = await work.once();
      if (failures > 0) work.recovered(failures);
      failures = 0;
      return more ? 0 : everyMs;
    } catch (error) {
      work.failed(error, ++failures);
      const doublings = Math.min(failures - 1, MAX_DOUBLINGS);
      return Math.min(waitMs.max, waitMs.first * 2 ** doublings) * (0.5 + random() / 2);
    }
  }
  async function run(): Promise<void> {
    while (!stopped) {
      pause = new AbortController();
      const wait = await attempt();
      if (wait > 0 && !stopped)
        await sleep(wait, undefined, { signal: pause.signal }).catch(() => {});
    }
  }

  const running = run();
  return {
    wake() {
      if (failures === 0) pause.abort();
    },
    hurry: () => pause.abort(),
    async stop() {
      stopped = true;
      pause.abort();
      await running;
    },
  };
}
