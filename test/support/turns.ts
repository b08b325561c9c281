/** Several doings, one step at a time, in an order that the test chooses. Only one of them moves at any moment. */
export interface Player {
  readonly over: boolean;
  /** Up to its next `turn()`, or to its end. @throws what it threw */
  step(): Promise<void>;
}

let current: { pause: () => Promise<void> } | null = null;

/** Hands over to whoever the test wants next. For code that a player runs. */
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
