import { setTimeout as sleep } from 'node:timers/promises';
import { log } from '../log';
import { isAway } from './database';

const RETRY_MS = 500;

/** Repeats `work` while what it needs cannot be reached. */
export async function untilThere<T>(
  what: string,
  stopping: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  let told = false;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error) || stopping.aborted) throw error;
      if (!told) log.warn(`${what} cannot be reached; trying again`, { error });
      told = true;
      await sleep(RETRY_MS);
    }
  }
}
