import { Client } from 'undici';
import { connectorOf } from './connect';
import { NotSent } from './failures';
import type { HttpSettings } from './settings';

/** Connections that serve one request at a time. After an error one is not used again. */
export interface Connections {
  /**
   * @param work says whether the connection is still good
   * @throws NotSent when none can be had in time, and whatever `work` throws
   */
  use<T extends { readonly good: boolean }>(
    signal: AbortSignal,
    work: (client: Client) => Promise<T>,
  ): Promise<T>;
  close(): void;
}

/** A page of a hundred users with their attributes is far below that. */
const MOST_REPLY_BYTES = 4 * 1024 * 1024;

/** Shorter than servers keep a connection that is silent: one that ends just as it is used puts a write in doubt. */
const IDLE_MS = 4_000;

/** undici's own pool connects again by itself after a request was given up, and uses connections that failed. */
export function connectionsTo(origin: string, settings: HttpSettings): Connections {
  const connect = connectorOf(settings);
  const clients = new Set<Client>();
  const idle: Client[] = [];
  const waiting: (() => void)[] = [];
  let lent = 0;
  let closed = false;

  const takePlace = async (signal: AbortSignal) => {
    if (lent < settings.poolSize) lent++;
    // A place is handed over, not given back, while somebody waits.
    else await placeInTime(waiting, signal);
  };
  const leavePlace = () => {
    const next = waiting.shift();
    if (next === undefined) lent--;
    else next();
  };

  const take = (): Client => {
    const kept = idle.pop();
    if (kept !== undefined) return kept;
    const client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      connect,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      maxResponseSize: MOST_REPLY_BYTES,
      // Whoever asks has a clock for all of it, so that bytes that come one by one win no time.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    clients.add(client);
    return client;
  };

  const drop = (client: Client) => {
    clients.delete(client);
    void client.destroy();
  };

  return {
    async use(signal, work) {
      await takePlace(signal);
      const client = take();
      let good = false;
      try {
        const result = await work(client);
        good = result.good && !closed;
        return result;
      } finally {
        if (good) idle.push(client);
        else drop(client);
        leavePlace();
      }
    },
    close() {
      closed = true;
      for (const client of clients) drop(client);
    },
  };
}

function placeInTime(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const mine = () => {
      signal.removeEventListener('abort', giveUp);
      resolve();
    };
    const giveUp = () => {
      waiting.splice(waiting.indexOf(mine), 1);
      reject(new NotSent('busy', 'timeout'));
    };
    if (signal.aborted) return reject(new NotSent('busy', 'timeout'));
    signal.addEventListener('abort', giveUp, { once: true });
    waiting.push(mine);
  });
}
