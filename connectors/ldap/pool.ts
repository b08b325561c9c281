import { HARD_DEADLINE_MS } from '../contract';
import { type Link, NotSent } from './link';

/** One call of the connector: when its time is over, nothing more is sent for it. */
export interface Call {
  remainingMs(): number;
}

/** Leaves a margin for what is under way when the time is over. */
const CALL_MS = HARD_DEADLINE_MS - 1_000;

export function newCall(ms = CALL_MS): Call {
  const end = performance.now() + ms;
  return { remainingMs: () => Math.max(0, end - performance.now()) };
}

/** Destroys the link when the time of the call is over, which ends whatever waits for it. */
export async function within<T>(call: Call, link: Link, body: () => Promise<T>): Promise<T> {
  const end = setTimeout(() => link.destroy(), call.remainingMs());
  try {
    return await body();
  } finally {
    clearTimeout(end);
  }
}

/** Links that are used by one request at a time and kept for the next one. */
export interface Pool {
  /** @throws NotSent when no link can be had in time, and whatever `body` throws */
  use<T>(call: Call, body: (link: Link) => Promise<T>): Promise<T>;
  close(): void;
}

/** @param open gives a link that is ready for `body`, or throws NotSent */
export function poolOf(size: number, open: (call: Call) => Promise<Link>): Pool {
  const idle: Link[] = [];
  const all = new Set<Link>();
  const waiting: (() => void)[] = [];
  let taken = 0;
  let closed = false;

  const takePlace = async (call: Call) => {
    if (taken < size) taken++;
    // A place is handed over, not given back, while somebody waits.
    else await placeInTime(waiting, call);
  };
  const leavePlace = () => {
    const next = waiting.shift();
    if (next === undefined) taken--;
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
      await takePlace(call);
      try {
        const link = await linkFor(call);
        try {
          return await within(call, link, () => body(link));
        } finally {
          if (link.usable()) idle.push(link);
          else all.delete(link);
        }
      } finally {
        leavePlace();
      }
    },
    close() {
      closed = true;
      for (const link of all) link.destroy();
    },
  };
}

function placeInTime(waiting: (() => void)[], call: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    const mine = () => {
      clearTimeout(patience);
      resolve();
    };
    const patience = setTimeout(() => {
      waiting.splice(waiting.indexOf(mine), 1);
      reject(new NotSent('busy'));
    }, call.remainingMs());
    waiting.push(mine);
  });
}
