import { Client } from 'undici';
import { connectorOf } from './connect';
import { NotSent } from './failures';
import type { HttpSettings } from './settings';

/** Connections that serve one request at a time. A connection is not used again after an error. */
export interface Connections {
  /**
   * Lends a connection to `work`.
   * @param work returns, among its result, whether the connection can be used again
   * @throws NotSent if no connection is available in time, and what `work` throws
   */
  use<T extends { readonly good: boolean }>(
    signal: AbortSignal,
    work: (client: Client) => Promise<T>,
  ): Promise<T>;
  close(): void;
}

/** Upper limit for a reply. A page of a hundred users with their attributes is far below it. */
const MOST_REPLY_BYTES = 4 * 1024 * 1024;

/** Shorter than the idle timeout of servers. A connection that ends while a write uses it makes the write ambiguous. */
const IDLE_MS = 4_000;

/**
 * Creates a pool of connections to one origin. The pool of undici is not used, because it reconnects after an abandoned
 * request and reuses connections that had an error.
 */
export function connectionsTo(origin: string, settings: HttpSettings): Connections {
  const connect = connectorOf(settings);
  const clients = new Set<Client>();
  const idle: Client[] = [];
  const waiting: (() => void)[] = [];
  let inUse = 0;
  let closed = false;

  const acquireSlot = async (signal: AbortSignal) => {
    if (inUse < settings.poolSize) inUse++;
    // A slot passes directly to the first waiting request, so `inUse` does not change.
    else await waitForSlot(waiting, signal);
  };
  const releaseSlot = () => {
    const next = waiting.shift();
    if (next === undefined) inUse--;
    else next();
  };

  const idleOrNew = (): Client => {
    const kept = idle.pop();
    if (kept !== undefined) return kept;
    const client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      connect,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      maxResponseSize: MOST_REPLY_BYTES,
      // The caller limits the time of the whole exchange, so a server that sends byte by byte gains nothing.
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
      await acquireSlot(signal);
      const client = idleOrNew();
      let good = false;
      try {
        const result = await work(client);
        good = result.good && !closed;
        return result;
      } finally {
        if (good) idle.push(client);
        else drop(client);
        releaseSlot();
      }
    },
    close() {
      closed = true;
      for (const client of clients) drop(client);
    },
  };
}

function waitForSlot(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const granted = () => {
      signal.removeEventListener('abort', giveUp);
      resolve();
    };
    const giveUp = () => {
      waiting.splice(waiting.indexOf(granted), 1);
      reject(new NotSent('busy', 'timeout'));
    };
    if (signal.aborted) return reject(new NotSent('busy', 'timeout'));
    signal.addEventListener('abort', giveUp, { once: true });
    waiting.push(granted);
  });
}
