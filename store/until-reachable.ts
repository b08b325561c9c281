import { setTimeout as sleep } from 'node:timers/promises';
import { log } from '../log';
import { isAway } from './database';
import { awayText, databaseError } from './database-trouble';

const RETRY_MS = 500;

/**
 * Runs `work`, and repeats it every 500 ms while the database is unavailable. It warns once.
 * @param url the URL of the database, of which the log names host and port
 * @throws the error of `work` when it is of another kind; `Misconfigured` with what to do when the operator has to correct
 *   something; the reason of `stopping` once that is aborted
 */
export async function retryUntilReachable<T>(
  url: string,
  stopping: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  let warned = false;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error)) throw databaseError(url, error);
      stopping.throwIfAborted();
      if (!warned) log.warn(`${awayText(url, error)}; trying again every 500 ms`, { error });
      warned = true;
      await sleep(RETRY_MS);
    }
  }
}
