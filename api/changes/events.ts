import type { ServerResponse } from 'node:http';
import type { Change } from '../../model/api/changes';
import { isAway } from '../../store/database';
import type { Dependencies } from '../http/dependencies';

/** A proxy or a laptop that slept shows itself by these. */
const HEARTBEAT_MS = 15_000;

/**
 * The change as it is, and again each time that it is another: server-sent events, until it has ended. A client that
 * does not read gets fewer of them, never a queue; one that has not read for a whole heartbeat is cut off.
 */
export async function streamChange(
  { changes, stopping }: Pick<Dependencies, 'changes' | 'stopping'>,
  changeId: string,
  read: () => Promise<Change>,
  gone: AbortSignal,
  response: ServerResponse,
): Promise<void> {
  const bell = createBell();
  const unfollow = changes.follow(changeId, bell.ring);
  const stops = [gone, stopping];
  for (const stop of stops) stop.addEventListener('abort', bell.ring);
  const heartbeat = setInterval(() => {
    if (response.writableNeedDrain) response.destroy();
    else response.write(': still here\n\n');
  }, HEARTBEAT_MS);
  try {
    let last = '';
    for (let count = 1; !stops.some((stop) => stop.aborted); await bell.rung()) {
      const change = await read().catch(unlessAway);
      if (change === null) {
        // The hub tries until it can be read, and then rings.
        changes.notify(changeId);
        continue;
      }
      const data = JSON.stringify(change);
      if (data !== last) await write(response, `event: change\nid: ${count++}\ndata: ${data}\n\n`);
      last = data;
      if (change.endedAt !== null) {
        await write(response, 'event: end\ndata: {}\n\n');
        return;
      }
    }
  } finally {
    clearInterval(heartbeat);
    for (const stop of stops) stop.removeEventListener('abort', bell.ring);
    unfollow();
  }
}

function unlessAway(error: unknown): null {
  if (isAway(error)) return null;
  throw error;
}

/** Resolves when the client has taken it, or is gone. */
async function write(response: ServerResponse, text: string): Promise<void> {
  if (response.write(text) || response.destroyed) return;
  await new Promise<void>((resolve) => {
    const go = () => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}

/** Rung any number of times, it is heard once. */
function createBell() {
  let rang = false;
  let hear = () => {};
  return {
    ring: () => {
      rang = true;
      hear();
    },
    rung: async () => {
      if (!rang)
        await new Promise<void>((resolve) => {
          hear = resolve;
        });
      rang = false;
    },
  };
}
