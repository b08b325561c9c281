import { setTimeout as sleep } from 'node:timers/promises';
import { log } from '../../log';

/**
 * Sends the state of an item to its followers, and again after each notification. One database statement at a time
 * reads for all followers, however many there are. Notifications that arrive during a read are served by the next one.
 */
export interface Hub<State> {
  /**
   * Calls `onState` with the current state, and again whenever it may have changed.
   * @returns a function that ends the subscription
   */
  follow(id: string, onState: (state: State) => void): () => void;
  /**
   * Has the state of an item read again.
   * @param id null if any item may have changed
   */
  notify(id: string | null): void;
  /** Sends a state that is known already to the followers of an item, without a read. */
  publish(id: string, state: State): void;
  close(): void;
}

const RETRY_MS = 500;

/** @param read returns the states by id; an item that does not exist is missing from the map */
export function createHub<State>(
  read: (ids: readonly string[]) => Promise<ReadonlyMap<string, State>>,
): Hub<State> {
  const followers = new Map<string, Set<(state: State) => void>>();
  const outdated = new Set<string>();
  let reading = false;
  let closed = false;

  const publish = (id: string, state: State): void => {
    for (const onState of [...(followers.get(id) ?? [])]) onState(state);
  };
  const readOutdated = async (): Promise<void> => {
    if (reading) return;
    reading = true;
    while (outdated.size > 0 && !closed) {
      const ids = [...outdated].filter((id) => followers.has(id));
      outdated.clear();
      try {
        const states = ids.length === 0 ? new Map<string, State>() : await read(ids);
        for (const [id, state] of states) publish(id, state);
      } catch (error) {
        log.debug('the states that clients wait for could not be read; retrying', { error });
        for (const id of ids) outdated.add(id);
        await sleep(RETRY_MS);
      }
    }
    reading = false;
  };
  const notify = (id: string | null): void => {
    if (id !== null && !followers.has(id)) return;
    for (const followed of id === null ? followers.keys() : [id]) outdated.add(followed);
    void readOutdated();
  };

  return {
    follow(id, onState) {
      const others = followers.get(id) ?? new Set();
      followers.set(id, others.add(onState));
      // The first read comes after the subscription, so that no update is missed between the two.
      notify(id);
      return () => {
        others.delete(onState);
        if (others.size === 0 && followers.get(id) === others) followers.delete(id);
      };
    },
    notify,
    publish,
    close() {
      closed = true;
      followers.clear();
    },
  };
}

/** Resolves when the state satisfies `reached`, after `waitMs`, or when one of the signals fires. */
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
