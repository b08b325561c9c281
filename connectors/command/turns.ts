/** At most so many at the same time; who waits longer than it may goes without. */
export interface Turns {
  /** @returns whether there was a turn in time; then it is given back */
  take(waitMs: number): Promise<boolean>;
  giveBack(): void;
}

export function turnsOf(size: number): Turns {
  let free = size;
  const waiting = new Set<(mine: boolean) => void>();
  return {
    async take(waitMs) {
      if (free > 0) {
        free--;
        return true;
      }
      return new Promise((resolve) => {
        const settle = (mine: boolean) => {
          clearTimeout(timer);
          waiting.delete(settle);
          resolve(mine);
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
