import type { ErrandView } from '../../store/sources/jobs';
import type { Dependencies } from '../http/dependencies';
import { waitUntil } from '../http/hub';

/** Null when it is not finished in time. */
export async function waitForErrand(
  { errands, stopping }: Dependencies,
  id: string,
  waitMs: number,
  gone: AbortSignal,
): Promise<ErrandView | null> {
  let finished: ErrandView | null = null;
  const reached = (errand: ErrandView) => {
    if (errand.state !== 'open') finished = errand;
    return finished !== null;
  };
  if (waitMs > 0) await waitUntil(errands, id, reached, waitMs, [gone, stopping]);
  return finished;
}
