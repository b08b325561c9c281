import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded } from '../../model/change/change';
import type { Change } from './answers';
import type { Api } from './api';
import { ApiProblem } from './refusals';

const RECONNECT_MS = 1_000;

interface Following {
  /** Aborting it ends the iteration before the change has ended. */
  readonly signal: AbortSignal;
  /** Called with the error message once for each loss of connection. */
  readonly onLost: (message: string) => void;
}

/**
 * Yields each state of a change, the current one first, until the change has ended. It reconnects when the API restarts.
 * @throws Failure if the first connection fails, or if the API rejects the request
 */
export async function* follow(
  api: Api,
  id: string,
  { signal, onLost }: Following,
): AsyncGenerator<Change> {
  let connected = false;
  let reported = false;
  while (!signal.aborted) {
    try {
      for await (const change of api.events<Change>(['changes', id, 'events'], signal)) {
        connected = true;
        reported = false;
        yield change;
        if (hasEnded(change.state)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!connected || isFinal(error)) throw error;
      if (!reported) onLost((error as Error).message);
      reported = true;
    }
    await sleep(RECONNECT_MS, undefined, { signal }).catch(() => {});
  }
}

const isFinal = (error: unknown): boolean =>
  error instanceof ApiProblem && error.problem.status < 500;

/** Reads all states. @returns the last one, or null if there was none */
export async function lastOf(
  changes: AsyncIterable<Change>,
  onChange: (change: Change) => void = () => {},
): Promise<Change | null> {
  let last: Change | null = null;
  for await (const change of changes) {
    onChange(change);
    last = change;
  }
  return last;
}
