import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;
/** Longer than the time limit of any test. A wait that lasts longer belongs to a failed test and would keep the run from ending. */
const GIVE_UP_MS = 300_000;

/** Waits for a condition. The time limit of the test ends a wait that takes too long. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const began = performance.now();
  while (!(await condition())) {
    if (performance.now() - began > GIVE_UP_MS)
      throw new Error('The condition was not met in time');
    await sleep(POLL_MS);
  }
}
