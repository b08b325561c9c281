/** One connection to a database server. Values go out as parameters and come back as text. */
export interface SqlSession {
  /** @throws the error of the driver */
  query(sql: string, values?: readonly string[]): Promise<SqlResult>;
  /** Takes leave of the server, which would else log a broken connection. Waits for nothing. */
  end(): void;
  /** Cuts the connection at once; a statement under way is left to the server. */
  destroy(): void;
  /** Calls back once when the connection has ended, whoever ended it. */
  onEnd(callback: () => void): void;
}

export interface SqlResult {
  readonly rows: readonly Readonly<Record<string, string | null>>[];
  /** Rows that the statement found or changed. */
  readonly count: number;
}

/** @throws the error of the driver; the attempt ends with the signal */
export type Connect = (signal: AbortSignal) => Promise<SqlSession>;

export interface Sessions {
  /**
   * Lends a connection until `work` ends, or is cut short by the signal. After an error it is not used again.
   * @throws what `work` or connecting throws, or the reason of the signal
   */
  use<T>(signal: AbortSignal, work: (session: SqlSession) => Promise<T>): Promise<T>;
  close(): void;
}

/** Long enough for the next account of the same change, short enough to leave nothing lying around. */
const IDLE_MS = 10_000;

/** At most `size` connections. The drivers' own pools keep the password and wait without end. */
export function sessionsOf(connect: Connect, size: number): Sessions {
  const idle = new Map<SqlSession, NodeJS.Timeout>();
  const ended = new WeakSet<SqlSession>();
  const waiting: (() => void)[] = [];
  let lent = 0;
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

  async function take(signal: AbortSignal): Promise<SqlSession> {
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
      while (lent >= size) await before(signal, new Promise<void>((wake) => waiting.push(wake)));
      lent++;
      try {
        const session = await take(signal);
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
        lent--;
        for (const wake of waiting.splice(0)) wake();
      }
    },
    close() {
      closed = true;
      for (const session of [...idle.keys()]) dismiss(session);
    },
  };
}

/** The promise, or the reason of the signal when that comes first. */
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
