import { HttpProblem } from './problem';

/** Streams that one key may have open, and all keys together, in one process. */
export const MAX_STREAMS = { perKey: 100, inAll: 1_000 };

const RETRY_AFTER_SECONDS = '10';

/** Counts open streams, so that a key cannot take the memory and the time that other requests need. */
export interface Streams {
  /**
   * Counts a stream until `gone` fires.
   * @throws HttpProblem `too_many_streams`
   */
  open(keyId: string, gone: AbortSignal): void;
}

export function countStreams({ perKey, inAll } = MAX_STREAMS): Streams {
  const byKey = new Map<string, number>();
  let all = 0;
  const count = (keyId: string, by: 1 | -1) => {
    all += by;
    const open = (byKey.get(keyId) ?? 0) + by;
    if (open > 0) byKey.set(keyId, open);
    else byKey.delete(keyId);
  };
  return {
    open(keyId, gone) {
      if (gone.aborted) return;
      if (all >= inAll || (byKey.get(keyId) ?? 0) >= perKey)
        throw new HttpProblem('too_many_streams', {}, { 'retry-after': RETRY_AFTER_SECONDS });
      count(keyId, 1);
      gone.addEventListener('abort', () => count(keyId, -1), { once: true });
    },
  };
}

/**
 * Makes a function that reads an item for any number of callers at once. Calls during a read share the next one, because
 * the item may have changed since the read began.
 */
export function sharedRead<T>(read: (id: string) => Promise<T>): (id: string) => Promise<T> {
  const running = new Map<string, Promise<T>>();
  const next = new Map<string, Promise<T>>();
  const start = (id: string): Promise<T> => {
    const started = read(id).finally(() => running.delete(id));
    running.set(id, started);
    return started;
  };
  return (id) => {
    const waiting = next.get(id);
    if (waiting !== undefined) return waiting;
    const current = running.get(id);
    if (current === undefined) return start(id);
    const begin = () => {
      next.delete(id);
      return start(id);
    };
    const queued = current.then(begin, begin);
    next.set(id, queued);
    return queued;
  };
}
