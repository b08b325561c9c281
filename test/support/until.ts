import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;
/** Longer than any test is allowed; what still waits then is left over from one that failed, and would hold the run. */
const GIVE_UP_MS = 300_000;

/** Waits for a condition; the test runner says when it took too long. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const began = performance.now();
  while (!(await condition())) {
    if (performance.now() - began > GIVE_UP_MS) throw new Error('What was waited for did not come');
    await sleep(POLL_MS);
  }
}
