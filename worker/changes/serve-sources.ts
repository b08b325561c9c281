import type { NativeConnection } from '@temporalio/worker';
import { createActivities } from '../../activities';
import type { Dependencies } from '../../activities/dependencies';
import { log } from '../../log';
import { startSourceQueues } from './source-queues';

/**
 * Serves the task queues of the sources to which the worker is bound, until `stopping` is aborted or a queue fails. It runs
 * no workflow and starts no change.
 */
export async function serveBoundSources(
  deps: Dependencies,
  { address, namespace }: { readonly address: string; readonly namespace: string },
  connection: NativeConnection,
  stopping: AbortSignal,
): Promise<void> {
  const { boundTo = [] } = deps;
  const { passOverSource, finishAccounts } = createActivities(deps);
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const activities = { passOverSource, finishAccounts };
  const queues = startSourceQueues(connection, namespace, activities, (error) => {
    log.error('the task queue of a source cannot be served; the worker stops', { error });
    end();
  });
  await queues.serve(boundTo);
  log.info('connected to the engine; the accounts of the named sources are changed', {
    address,
    source: boundTo.join(', '),
  });
  stopping.addEventListener('abort', end);
  if (stopping.aborted) end();
  await ended;
  await queues.stop();
}
