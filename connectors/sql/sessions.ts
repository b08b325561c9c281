/** One connection to a database server. Values are sent as parameters and returned as text. */
export interface SqlSession {
  /** Runs a statement. @throws the error of the driver */
  query(sql: string, values?: readonly string[]): Promise<SqlResult>;
  /** Closes the connection properly, so that the server does not log a broken one. It does not wait for the end. */
  end(): void;
  /** Closes the connection at once. The server decides what becomes of a running statement. */
  destroy(): void;
  /** Calls back once when the connection has ended, whichever side ended it. */
  onEnd(callback: () => void): void;
}

export interface SqlResult {
  readonly rows: readonly Readonly<Record<string, string | null>>[];
  /** Number of rows that the statement returned or changed. */
  readonly count: number;
}

/** Opens a connection. The attempt ends when the signal aborts. @throws the error of the driver */
export type Connect = (signal: AbortSignal) => Promise<SqlSession>;

export interface Sessions {
  /**
   * Lends a connection until `work` ends or the signal aborts. A connection is not used again after an error.
   * @throws what `work` or connecting throws, or the reason of the signal
   */
  use<T>(signal: AbortSignal, work: (session: SqlSession) => Promise<T>): Promise<T>;
  close(): void;
}

/** Idle connections are closed after this time, which suffices for the next account of the same change. */
const IDLE_MS = 10_000;

/**
 * Creates a pool of at most `size` connections. The pools of the drivers are not used, because they keep the password and
 * wait without a time limit.
 */
export function sessionsOf(connect: Connect, size: number): Sessions {
  const idle = new Map<SqlSession, NodeJS.Timeout>();
  const ended = new WeakSet<SqlSession>();
  const waiting: (() => void)[] = [];
  let inUse = 0;
  let closed = false;

  function forget(session: SqlSession): void {
    clearTimeout(idle.get(session));
    idle.delete(session);
  }

  function dismiss(session: SqlSession): void {
    forget(session);
    session.end();
  }

  function keep(session: SqlSession): void {
    if (ended.has(session)) return;
    if (closed) session.end();
    else idle.set(session, setTimeout(() => dismiss(session), IDLE_MS).unref());
  }

  async function idleOrNew(signal: AbortSignal): Promise<SqlSession> {
    const [kept] = idle.keys();
    if (kept !== undefined) {
      forget(kept);
      return kept;
    }
    const session = await connect(signal);
    session.onEnd(() => {
      ended.add(session);
      forget(session);
    });
    return session;
  }

  return {
    async use(signal, work) {
      signal.throwIfAborted();
      while (inUse >= size) await before(signal, new Promise<void>((wake) => waiting.push(wake)));
      inUse++;
      try {
        const session = await idleOrNew(signal);
        try {
          const answer = await before(signal, work(session));
          keep(session);
          return answer;
        } catch (error) {
          if (signal.aborted) session.destroy();
          else session.end();
          throw error;
        }
      } finally {
        inUse--;
        for (const wake of waiting.splice(0)) wake();
      }
    },
    close() {
      closed = true;
      for (const session of [...idle.keys()]) dismiss(session);
    },
  };
}

/** Waits for the promise. @throws what the promise throws, or the reason of the signal if that aborts first */
export async function before<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
