import { type NativeConnection, Worker } from '@temporalio/worker';
import type { Activities } from '../../activities';
import { sourceQueue } from '../../workflows/names';

/** Workers for the task queues of sources. */
export interface SourceQueues {
  /** Serves the queues of these sources and no others from now on. */
  serve(sources: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

interface QueueWorker {
  readonly worker: Worker;
  readonly ended: Promise<void>;
}

/**
 * Serves one task queue for each source, so that a slow or waiting source takes no slots from the others.
 * @param onFailure is called when the worker of a queue fails
 */
export function startSourceQueues(
  connection: NativeConnection,
  namespace: string,
  activities: Pick<Activities, 'passOverSource' | 'finishAccounts'>,
  onFailure: (error: unknown) => void,
): SourceQueues {
  const serving = new Map<string, QueueWorker>();

  const start = async (source: string): Promise<void> => {
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: sourceQueue(source),
      activities,
      maxConcurrentActivityTaskExecutions: 20,
      maxConcurrentActivityTaskPolls: 2,
      shutdownGraceTime: '20s',
    });
    serving.set(source, { worker, ended: worker.run().catch(onFailure) });
  };
  const stopOne = async (source: string, { worker, ended }: QueueWorker): Promise<void> => {
    serving.delete(source);
    worker.shutdown();
    await ended;
  };

  return {
    async serve(sources) {
      for (const [source, entry] of serving)
        if (!sources.includes(source)) await stopOne(source, entry);
      for (const source of sources) if (!serving.has(source)) await start(source);
    },
    async stop() {
      await Promise.all([...serving].map(([source, entry]) => stopOne(source, entry)));
    },
  };
}
