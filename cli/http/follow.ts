import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded } from '../../model/change/change';
import type { Api } from './api';
import { ApiProblem } from './refusals';
import type { Change } from './shapes';

const RECONNECT_MS = 1_000;

interface Following {
  /** Ends it before the change has ended. */
  readonly signal: AbortSignal;
  /** Told once each time that the api is gone. */
  readonly interrupted: (says: string) => void;
}

/**
 * Each state of a change, the current one first, until it has ended. An api that is started again meanwhile interrupts it
 * only for a moment.
 */
export async function* follow(
  api: Api,
  id: string,
  { signal, interrupted }: Following,
): AsyncGenerator<Change> {
  let connected = false;
  let told = false;
  while (!signal.aborted) {
    try {
      for await (const change of api.events<Change>(['changes', id, 'events'], signal)) {
        connected = true;
        told = false;
        yield change;
        if (hasEnded(change.state)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!connected || isFinal(error)) throw error;
      if (!told) interrupted((error as Error).message);
      told = true;
    }
    await sleep(RECONNECT_MS, undefined, { signal }).catch(() => {});
  }
}

const isFinal = (error: unknown): boolean =>
  error instanceof ApiProblem && error.problem.status < 500;

export async function lastOf(
  changes: AsyncIterable<Change>,
  see: (change: Change) => void = () => {},
): Promise<Change | null> {
  let last: Change | null = null;
  for await (const change of changes) {
    see(change);
    last = change;
  }
  return last;
}
