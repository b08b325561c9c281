import type { Client } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { createActivities } from '../../activities';
import type { Dependencies } from '../../activities/dependencies';
import { log } from '../../log';
import { channels, listen } from '../../store/notifications';
import { handOutCommands, sendProbes } from '../../store/sources/commands';
import { readNeededSources } from '../../store/worker/unattended';
import { CHANGES_QUEUE } from '../../workflows/names';
import { type Loop, startLoop } from '../loop';
import { dispatch } from './dispatcher';
import { type SourceQueues, startSourceQueues } from './source-queues';

export interface EngineSettings {
  /** host:port of the Temporal frontend. */
  readonly address: string;
  readonly namespace: string;
  /** For notifications. */
  readonly databaseUrl: string;
  readonly workerId: string;
  readonly workflows: Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'>;
  /** Workflows kept in memory between their tasks; 0 makes every task replay its history, on whichever worker. */
  readonly cachedWorkflows?: number;
  /** Where people read about a change. */
  readonly linkTo: (changeId: string) => string;
}

/** Carries changes out until it is told to stop: workflows, their steps, the queues of the sources, and the dispatcher. */
export async function serveChanges(
  deps: Dependencies,
  settings: EngineSettings,
  connection: NativeConnection,
  client: Client,
  stopping: AbortSignal,
): Promise<void> {
  const { namespace } = settings;
  const activities = createActivities(deps);
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: CHANGES_QUEUE,
    activities,
    ...settings.workflows,
    // A start is eager only while there is a slot, and what waits in the task queue lets every eager one pass.
    maxConcurrentWorkflowTaskExecutions: 100,
    maxConcurrentLocalActivityExecutions: 100,
    maxCachedWorkflows: settings.cachedWorkflows ?? 200,
    shutdownGraceTime: '20s',
    shutdownForceTime: '30s',
  });
  const stopNow = () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const queues = startSourceQueues(connection, namespace, activities, (error) => {
    log.error('the queue of a source cannot be served', { error });
    stopNow();
  });
  const running = worker.run();
  stopping.addEventListener('abort', stopNow);
  if (stopping.aborted) stopNow();

  const dispatcher = startLoop({ name: 'dispatcher', everyMs: 2_000, atOnce: 4 }, () =>
    dispatch({
      db: deps.db,
      client,
      linkTo: settings.linkTo,
      close: (id) => activities.closeChange(id, 'cancelled'),
    }),
  );
  const sources = watchSources(deps, queues);
  const waiting = startLoop({ name: 'those who wait on sources', everyMs: 1_000 }, async () => {
    await sendProbes(deps.db);
    return handOutCommands(deps.db);
  });
  const listener = await listen(
    settings.databaseUrl,
    [channels.accepted, channels.configuration],
    (channel) => (channel === channels.accepted ? dispatcher : sources).wake(),
  );
  log.info('changes are carried out', { address: settings.address });
  try {
    await running;
  } finally {
    await listener.close();
    await Promise.all([dispatcher.stop(), sources.stop(), waiting.stop()]);
    await queues.stop();
  }
}

const watchSources = (deps: Dependencies, queues: SourceQueues): Loop =>
  startLoop({ name: 'source queues', everyMs: 30_000 }, async () => {
    const { configuration } = await deps.configuration(Number.POSITIVE_INFINITY);
    const needed = await readNeededSources(deps.db);
    await queues.serve([...new Set([...Object.keys(configuration.sources), ...needed])]);
    return false;
  });
