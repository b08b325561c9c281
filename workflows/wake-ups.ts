import { condition } from '@temporalio/workflow';

/** The accounts of a change that wait only for their source wait here, in the workflow, and not in an activity. */
export interface WakeUps {
  /** Ends the wait for this source, or the next one if none has begun. */
  wake(source: string): void;
  /** Waits until the source is woken, at most this long. The Web UI shows the timer with the name of the source. */
  wait(source: string, ms: number): Promise<void>;
}

export function wakeUps(): WakeUps {
  const woken = new Set<string>();
  return {
    wake: (source) => void woken.add(source),
    async wait(source, ms) {
      const summary = `until ${source} is tried again`;
      await condition(() => woken.has(source), ms, { summary });
      woken.delete(source);
    },
  };
}
