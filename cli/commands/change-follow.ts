import { hasEnded } from '../../model/change/change';
import { timeLimit } from '../../time-limit';
import { Failure } from '../failure';
import type { Change } from '../http/answers';
import type { Api } from '../http/api';
import { follow, lastOf } from '../http/follow';
import type { Session } from '../session';
import { watch } from '../text/watch';

/**
 * Waits for the end of an accepted change. An error from here on is only noted, because the change continues without us.
 * @param deadline epoch milliseconds; infinite to wait until the change ends
 * @param isWatched whether to show every step
 */
export async function followToEnd(
  session: Session,
  api: Api,
  started: Change,
  deadline: number,
  isWatched: boolean,
): Promise<Change> {
  try {
    if (!isWatched) return await waitForEnd(session, api, started, deadline);
    const left = Math.max(0, deadline - Date.now()) / 1000;
    return await watch(session, api, started, Number.isFinite(left) ? left : undefined);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    session.output.note(
      `The change is accepted, but its progress cannot be shown: ${error.message}`,
    );
    return started;
  }
}

async function waitForEnd(
  session: Session,
  api: Api,
  started: Change,
  deadline: number,
): Promise<Change> {
  const leftMs = deadline - Date.now();
  if (hasEnded(started.state) || leftMs <= 0) return started;
  const signal = timeLimit(leftMs, session.interrupted());
  const changes = follow(api, started.id, { signal, onLost: session.output.note });
  return (await lastOf(changes)) ?? started;
}
