import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningServer } from './processes';

const RESTART_MS = 500;

/**
 * Keeps a server running: starts it again when it ends before `stop`.
 * @param first the server, which has been started
 * @param start starts it again, on the same ports and with the same data
 * @returns the server; `pid` and `exited` are those of the process that runs now
 */
export function keepRunning<Server extends RunningServer>(
  first: Server,
  start: () => Promise<Server>,
): Server {
  let current = first;
  let stopping = false;
  const restart = async (): Promise<void> => {
    while (!stopping) {
      await current.exited;
      if (stopping) return;
      await sleep(RESTART_MS);
      current = await start().catch(() => current);
    }
  };
  const supervision = restart();
  return {
    ...first,
    get pid() {
      return current.pid;
    },
    get exited() {
      return current.exited;
    },
    async stop() {
      stopping = true;
      await current.stop();
      await supervision;
      // The supervision may have started it again just now.
      await current.stop();
    },
  };
}
