import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/** Waits for a condition; the test runner says when it took too long. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(POLL_MS);
}
