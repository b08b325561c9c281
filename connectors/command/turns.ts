/** Limits how many programs run at the same time. */
export interface Turns {
  /** Waits for a turn, at most `waitMs` milliseconds. @returns whether there was one; the caller must then give it back */
  take(waitMs: number): Promise<boolean>;
  giveBack(): void;
}

/** @param size maximum number of turns at the same time */
export function turnsOf(size: number): Turns {
  let free = size;
  const waiting = new Set<(granted: boolean) => void>();
  return {
    async take(waitMs) {
      if (free > 0) {
        free--;
        return true;
      }
      return new Promise((resolve) => {
        const settle = (granted: boolean) => {
          clearTimeout(timer);
          waiting.delete(settle);
          resolve(granted);
        };
        const timer = setTimeout(() => settle(false), waitMs);
        waiting.add(settle);
      });
    },
    giveBack() {
      const [first] = waiting;
      if (first === undefined) free++;
      else first(true);
    },
  };
}
