import { setTimeout as sleep } from 'node:timers/promises';

/** Work that is done again and again, one after the other, as long as the process runs. */
export interface Repeated {
  /** There may be something to do. What fails is tried no sooner because there is more of it. */
  wake(): void;
  /** Something is different now: the next time is at once. */
  hurry(): void;
  /** After what is under way. */
  stop(): Promise<void>;
}

export interface Pace {
  /** So often, where there is nothing more to do at once. */
  readonly everyMs: number;
  /** After a failure: the first wait, and the longest. */
  readonly waitMs: { readonly first: number; readonly most: number };
  readonly random: () => number;
}

interface Work {
  /** @returns whether there is more to do at once */
  once(): Promise<boolean>;
  failed(error: unknown, failures: number): void;
  /** It had failed so often before. */
  recovered(failures: number): void;
}

const MOST_DOUBLINGS = 20;

export function repeat(work: Work, { everyMs, waitMs, random }: Pace): Repeated {
  /** Ends the wait before the next attempt. */
  let pause = new AbortController();
  let failures = 0;
  let stopped = false;

  /** @returns the wait before the next one */
  async function attempt(): Promise<number> {
    try {
      const more = await work.once();
      if (failures > 0) work.recovered(failures);
      failures = 0;
      return more ? 0 : everyMs;
    } catch (error) {
      work.failed(error, ++failures);
      const doublings = Math.min(failures - 1, MOST_DOUBLINGS);
      return Math.min(waitMs.most, waitMs.first * 2 ** doublings) * (0.5 + random() / 2);
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
