import { setTimeout as sleep } from 'node:timers/promises';
import { log } from '../log';
import { isAway } from './database';

const RETRY_MS = 500;

/**
 * Runs `work`, and repeats it every 500 ms while the database is unavailable. It warns once.
 * @param what names the service in the log, such as "the database"
 * @throws the error of `work` when it is of another kind, or once `stopping` is aborted
 */
export async function retryUntilReachable<T>(
  what: string,
  stopping: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  let warned = false;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error) || stopping.aborted) throw error;
      if (!warned) log.warn(`${what} cannot be reached; trying again every 500 ms`, { error });
      warned = true;
      await sleep(RETRY_MS);
    }
  }
}
