import type { ServerResponse } from 'node:http';
import type { Change } from '../../model/api/changes';
import { isAway } from '../../store/database';
import type { Dependencies } from '../http/dependencies';

/** How often a comment is sent, so that a broken connection is noticed on both sides. */
const HEARTBEAT_MS = 15_000;

/**
 * Sends a change as server-sent events: at once, after each update, and an `end` event when the change has ended. A slow
 * client skips intermediate states, which are never queued. A client that reads nothing for a whole heartbeat is
 * disconnected.
 * @param shown the data of the event; by default the whole change
 */
export async function streamChange(
  { changes, stopping }: Pick<Dependencies, 'changes' | 'stopping'>,
  changeId: string,
  read: () => Promise<Change>,
  gone: AbortSignal,
  response: ServerResponse,
  shown: (change: Change) => unknown = (change) => change,
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
        // The hub retries until the change can be read, and then rings the bell.
        changes.notify(changeId);
        continue;
      }
      const data = JSON.stringify(shown(change));
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

/** Resolves when the socket can take more, or the client has disconnected. */
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

/** Wakes one waiting loop. Any number of rings while the loop is busy wake it once more. */
function createBell() {
  let rang = false;
  let wake = () => {};
  return {
    ring: () => {
      rang = true;
      wake();
    },
    rung: async () => {
      if (!rang)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      rang = false;
    },
  };
}
