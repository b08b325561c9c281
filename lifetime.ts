import { unknownVariables } from './config';
import { log } from './log';

/**
 * Runs a process of Lockstep until it ends. SIGINT and SIGTERM abort `stopping`, after which `main` is expected to
 * return, or to throw the reason of the signal. When `main` throws another error, it is logged and the process exits with
 * code 1.
 * @param what the name of the process in the log, such as `the api`
 */
export async function live(
  what: string,
  main: (stopping: AbortSignal) => Promise<void>,
): Promise<void> {
  // A stream without a listener for its errors would end the process when its disk is full or its reader has gone.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  for (const says of unknownVariables(['LOCKSTEP_', 'TEMPORAL_'])) log.warn(says);
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      log.info(`${what} is stopping because of a signal`, { signal });
      stopping.abort();
    });
  try {
    await main(stopping.signal);
  } catch (error) {
    if (stopping.signal.aborted && error === stopping.signal.reason) {
      log.info(`${what} was stopped before it was ready`);
      process.exit(0);
    }
    log.error(`${what} failed and exits`, { error });
    process.exit(1);
  }
}
