import { setTimeout as sleep } from 'node:timers/promises';
import { log } from '../../log';

/**
 * Tells those who follow a thing how it stands, again whenever it may have changed. However many follow, one
 * statement at a time reads for all of them; what comes in meanwhile is read by the next one.
 */
export interface Hub<State> {
  /** @returns how to stop following */
  follow(id: string, onState: (state: State) => void): () => void;
  /** @param id null when anything may have changed */
  notify(id: string | null): void;
  close(): void;
}

const RETRY_MS = 500;

/** @param read what is not there is left out */
export function createHub<State>(
  read: (ids: readonly string[]) => Promise<ReadonlyMap<string, State>>,
): Hub<State> {
  const followers = new Map<string, Set<(state: State) => void>>();
  const stale = new Set<string>();
  let reading = false;
  let closed = false;

  const readStale = async (): Promise<void> => {
    if (reading) return;
    reading = true;
    while (stale.size > 0 && !closed) {
      const ids = [...stale].filter((id) => followers.has(id));
      stale.clear();
      try {
        const states = ids.length === 0 ? new Map<string, State>() : await read(ids);
        for (const [id, state] of states)
          for (const onState of [...(followers.get(id) ?? [])]) onState(state);
      } catch (error) {
        log.debug('what people wait for cannot be read; trying again', { error });
        for (const id of ids) stale.add(id);
        await sleep(RETRY_MS);
      }
    }
    reading = false;
  };
  const notify = (id: string | null): void => {
    if (id !== null && !followers.has(id)) return;
    for (const one of id === null ? followers.keys() : [id]) stale.add(one);
    void readStale();
  };

  return {
    follow(id, onState) {
      const others = followers.get(id) ?? new Set();
      followers.set(id, others.add(onState));
      // Read only now, so that nothing is missed between a look and the first notification.
      notify(id);
      return () => {
        others.delete(onState);
        if (others.size === 0 && followers.get(id) === others) followers.delete(id);
      };
    },
    notify,
    close() {
      closed = true;
      followers.clear();
    },
  };
}

/** Resolves when `reached` is true of the thing, when the time is over, or when one of the signals fires. */
export function waitUntil<State>(
  hub: Hub<State>,
  id: string,
  reached: (state: State) => boolean,
  waitMs: number,
  signals: readonly AbortSignal[],
): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', end);
      unfollow();
      resolve();
    };
    const timer = setTimeout(end, waitMs);
    for (const signal of signals) signal.addEventListener('abort', end);
    const unfollow = hub.follow(id, (state) => {
      if (reached(state)) end();
    });
    if (signals.some((signal) => signal.aborted)) end();
  });
}
