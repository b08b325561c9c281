/** One of several tasks that a test runs step by step in an order that it chooses. Only one task runs at any moment. */
export interface Player {
  readonly over: boolean;
  /** Runs the task to its next `turn()` or to its end. @throws the error of the task */
  step(): Promise<void>;
}

let current: { pause: () => Promise<void> } | null = null;

/** Ends a step and lets the test choose the next task. To be called in code that a player runs. */
export async function turn(): Promise<void> {
  await current?.pause();
}

export function player(play: () => Promise<void>): Player {
  let resume: () => void = () => {};
  let paused: () => void = () => {};
  let over = false;
  const self = {
    pause: () =>
      new Promise<void>((resolve) => {
        resume = resolve;
        paused();
      }),
  };
  let playing: Promise<void> | null = null;
  return {
    get over() {
      return over;
    },
    async step() {
      const stopped = new Promise<void>((resolve) => {
        paused = resolve;
      });
      current = self;
      if (playing === null)
        playing = play().finally(() => {
          over = true;
        });
      else resume();
      await Promise.race([stopped, playing]);
    },
  };
}
