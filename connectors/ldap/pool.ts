import { HARD_DEADLINE_MS } from '../contract';
import { NotSent } from './failures';
import type { Link } from './link';

/** One call of the connector, with its time limit. When the time is over, nothing more is sent for the call. */
export interface Call {
  remainingMs(): number;
}

/** Leaves a margin for a request that is under way when the time is over. */
const CALL_MS = HARD_DEADLINE_MS - 1_000;

export function newCall(ms = CALL_MS): Call {
  const end = performance.now() + ms;
  return { remainingMs: () => Math.max(0, end - performance.now()) };
}

/** Runs `body`, and destroys the link when the time of the call is over, which ends each request on it. */
export async function within<T>(call: Call, link: Link, body: () => Promise<T>): Promise<T> {
  const end = setTimeout(() => link.destroy(), call.remainingMs());
  try {
    return await body();
  } finally {
    clearTimeout(end);
  }
}

/** A pool of links. Each link serves one `use` at a time and is then kept for the next one. */
export interface Pool {
  /** Lends a link to `body`. @throws NotSent if no link is available in time, and what `body` throws */
  use<T>(call: Call, body: (link: Link) => Promise<T>): Promise<T>;
  close(): void;
}

/**
 * Creates a pool of at most `size` links.
 * @param open returns a link that is ready for use, or throws NotSent
 */
export function poolOf(size: number, open: (call: Call) => Promise<Link>): Pool {
  const idle: Link[] = [];
  const all = new Set<Link>();
  const waiting: (() => void)[] = [];
  let inUse = 0;
  let closed = false;

  const acquireSlot = async (call: Call) => {
    if (inUse < size) inUse++;
    // A slot passes directly to the first waiting call, so `inUse` does not change.
    else await waitForSlot(waiting, call);
  };
  const releaseSlot = () => {
    const next = waiting.shift();
    if (next === undefined) inUse--;
    else next();
  };
  const linkFor = async (call: Call): Promise<Link> => {
    for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) {
      if (kept.usable()) return kept;
      all.delete(kept);
    }
    const link = await open(call);
    all.add(link);
    if (!closed) return link;
    link.destroy();
    throw new NotSent('unreachable');
  };

  return {
    async use(call, body) {
      await acquireSlot(call);
      try {
        const link = await linkFor(call);
        try {
          return await within(call, link, () => body(link));
        } finally {
          if (link.usable()) idle.push(link);
          else all.delete(link);
        }
      } finally {
        releaseSlot();
      }
    },
    close() {
      closed = true;
      for (const link of all) link.destroy();
    },
  };
}

function waitForSlot(waiting: (() => void)[], call: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    const granted = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      waiting.splice(waiting.indexOf(granted), 1);
      reject(new NotSent('busy'));
    }, call.remainingMs());
    waiting.push(granted);
  });
}
