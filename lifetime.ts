import { log } from './log';

/**
 * Runs a process of Lockstep to its end.
 * @param what as its log says it, such as `the api`
 * @param main ends when what it was given is aborted, which SIGINT and SIGTERM do; what it throws ends the process
 */
export async function live(
  what: string,
  main: (stopping: AbortSignal) => Promise<void>,
): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      log.info('stopping', { signal });
      stopping.abort();
    });
  try {
    await main(stopping.signal);
  } catch (error) {
    log.error(`${what} cannot go on`, { error });
    process.exit(1);
  }
}
